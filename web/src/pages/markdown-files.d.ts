/** The build includes a document's text in the page. */
declare module "*.md" {
  const text: string;
  export default text;
}
