/** The build puts a document's text into the page. */
declare module '*.md' {
  const text: string;
  export default text;
}
