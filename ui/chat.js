// What the page does by itself, without the server's events: it opens articles in place.
// The body of the function that Gradio calls once, with the masthead as `element`.

const reader = element.querySelector("#reader");

// A link to an article opens here; with Ctrl, or without this script, in a tab of its own.
async function read(link) {
  let page;
  try {
    page = await (await fetch(link.href)).text();
  } catch {
    page = '<article class="whole"><p class="error">Gazette does not answer: is it still running?</p></article>';
  }
  const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
  reader.querySelector("div").replaceChildren(article);
  reader.showModal();
  reader.scrollTop = 0;
  article.querySelector("mark")?.scrollIntoView({ block: "center" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.read");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  read(link);
});
