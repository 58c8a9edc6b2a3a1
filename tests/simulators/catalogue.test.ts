import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultTracks, songs } from './catalogue/catalogue.ts';

describe('default catalogue', () => {
  const tracks = defaultTracks();
  const count = (pattern: RegExp): number => tracks.filter((track) => pattern.test(track.name)).length;

  it('is large and has songs of every decade since the fifties and many Polish artists', () => {
    assert.ok(tracks.length >= 2000);
    for (let decade = 1950; decade <= 2020; decade += 10) {
      assert.ok(songs().filter((song) => Math.floor(song.year / 10) * 10 === decade).length >= 20, String(decade));
    }
    assert.ok(new Set(songs().filter((song) => song.tags.includes('pl')).map((song) => song.artists[0])).size >= 60);
  });

  it('names no song of an artist twice', () => {
    const keys = songs().map((song) => `${song.artists.join(';')}|${song.title}`);
    assert.deepEqual(keys.filter((key, index) => keys.indexOf(key) !== index), []);
  });

  it('has ids and ISRCs of the right form, and every id once', () => {
    assert.ok(tracks.every((track) => /^[0-9A-Za-z]{22}$/.test(track.id) && /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/.test(track.isrc)));
    assert.equal(new Set(tracks.map((track) => track.id)).size, tracks.length);
  });

  it('has every kind of trap', () => {
    const kinds = [/Remaster/, /Live|Na Żywo/, /Karaoke/, /Tribute/, /Sped Up/, /Slowed/, /Nightcore/, /Acoustic/, /- Demo/, /Radio Edit/, /Remix/, /Taylor's Version/, /feat\./, /\p{Script=Cyrillic}/u, /\p{Script=Han}/u, /\p{Script=Hangul}/u];
    for (const kind of kinds) {
      assert.ok(count(kind) >= 3, String(kind));
    }
    assert.ok(tracks.filter((track) => !track.is_playable).length >= 10);
  });

  it('has one recording on several albums, and explicit songs with a clean twin', () => {
    const albumsByIsrc = new Map<string, Set<string>>();
    for (const track of tracks) {
      albumsByIsrc.set(track.isrc, (albumsByIsrc.get(track.isrc) ?? new Set<string>()).add(track.album.name));
    }
    assert.ok([...albumsByIsrc.values()].filter((albums) => albums.size > 1).length >= 100);
    const clean = tracks.filter((track) => track.album.name.endsWith('(Clean)'));
    assert.ok(clean.length > 10 && clean.every((track) => !track.explicit));
  });
});
