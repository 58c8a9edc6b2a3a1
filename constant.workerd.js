function e(t){return async r=>(await r.arrayBuffer(),Response.json({received:!0}))}import{env as n}from"cloudflare:workers";var a={fetch:e(n)};export{a as default};
