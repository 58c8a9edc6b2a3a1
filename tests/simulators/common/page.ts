import type { Reply } from './server.ts';
import { plain } from './server.ts';

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export const page = (status: number, title: string, body: string): Reply => plain(status, `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.5rem;margin:0 1rem 1rem 0}</style>
</head><body><h1>${title}</h1>${body}</body></html>`, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
