import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TRACKS as tracks } from './catalogue/catalogue.ts';

describe('default catalogue', () => {
  it('has well-formed ids and ISRCs, and unique ids', () => {
    assert.ok(tracks.every((track) => /^[0-9A-Za-z]{22}$/.test(track.id) && /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/.test(track.isrc)));
    assert.equal(new Set(tracks.map((track) => track.id)).size, tracks.length);
  });

  it('has every kind of trap', () => {
    const versions = 'Remaster|Live,Na Żywo|Karaoke|Tribute|Sped Up|Slowed|Nightcore|Acoustic|- Demo|Radio Edit|Remix|feat\\.';
    const kinds = [...versions.split('|').map((kind) => kind.replace(',', '|')), "Taylor's Version", '\\p{Script=Cyrillic}', '\\p{Script=Han}', '\\p{Script=Hangul}'];
    assert.deepEqual(kinds.filter((kind) => tracks.filter(({ name }) => new RegExp(kind, 'u').test(name)).length < 3), []);
    assert.ok(tracks.filter((track) => !track.is_playable).length >= 10);
    const clean = tracks.filter((track) => track.album.name.endsWith('(Clean)'));
    assert.ok(clean.length > 10 && clean.every((track) => !track.explicit));
    const albums = Object.values(Object.groupBy(tracks, (track) => track.isrc)).map((same) => new Set(same?.map((track) => track.album.name)).size);
    assert.ok(albums.filter((count) => count > 1).length >= 100, 'one recording is on several albums');
  });
});
