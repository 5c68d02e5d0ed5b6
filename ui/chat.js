// What the page does by itself: it keeps conversations in this browser and opens articles in place.
// The body of the function that Gradio calls once, with the menu and the reader in `element`.

// Conversations: one key each in localStorage, by the archive they are about; which one is open is
// a tab's own affair. What is kept is plain data: it is checked and escaped again by the server.

const LIMIT = 50;
const prefix = `gazette\n${props.archive}\n`;
const menu = element.querySelector("#conversations");
let open = sessionStorage.getItem(prefix);

function kept(key) {
  try {
    const { at, title, turns } = JSON.parse(localStorage.getItem(key));
    return [at, title, turns].every((part) => part != null) ? { key, at, title, turns } : null;
  } catch {
    return null; // not ours, or damaged
  }
}

function conversations() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return keys.map(kept).filter(Boolean).sort((one, other) => other.at - one.at);
}

// Until the server has shown it, no question can be asked: it would join another conversation.
function show(key) {
  open = key;
  sessionStorage.setItem(prefix, key);
  // Gradio would not take a question before an answer under way has really ended.
  if (document.querySelector("#current :is(.wait, .unchecked)")) return location.reload();
  document.querySelector("#ask").inert = true;
  trigger("open", { turns: String(kept(key)?.turns ?? "[]"), time: Date.now() });
}

function ready() {
  document.querySelector("#ask").inert = false;
  if (document.activeElement === document.body) document.querySelector("#ask textarea").focus();
}

function keep(turns) {
  const first = JSON.parse(turns)[0];
  if (!first) open = "";
  else open ||= `${prefix}${Date.now()} ${Math.random()}`;
  sessionStorage.setItem(prefix, open);
  if (!first || kept(open)?.turns === turns) return;
  const record = JSON.stringify({ at: Date.now(), title: first.question, turns });
  const others = conversations().filter((each) => each.key !== open);
  others.splice(LIMIT - 1).forEach((each) => localStorage.removeItem(each.key));
  for (;;) {
    try {
      return localStorage.setItem(open, record);
    } catch {
      if (!others.length) return; // too long to keep: it can be read on, but not come back
      localStorage.removeItem(others.pop().key); // the oldest makes room
    }
  }
}

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

function list() {
  const rows = conversations().map((each) => {
    const title = button(String(each.title), () => (menu.hidePopover(), show(each.key)));
    if (each.key === open) title.setAttribute("aria-current", "true");
    const forget = button("Delete", () => {
      if (forget.textContent === "Delete") {
        forget.textContent = "Really delete?";
        forget.ariaLabel = `Really delete: ${each.title}`;
        return;
      }
      localStorage.removeItem(each.key);
      if (each.key === open) show("");
      list();
      (menu.querySelector("button") ?? menu).focus();
    });
    forget.ariaLabel = `Delete: ${each.title}`;
    const row = document.createElement("li");
    row.append(title, forget);
    return row;
  });
  menu.querySelector("p").textContent = rows.length ? "" : "None yet. They are kept in this browser.";
  menu.querySelector("ol").replaceChildren(...rows);
}

menu.addEventListener("toggle", (event) => {
  if (event.newState !== "open") return;
  list();
  menu.querySelector("button")?.focus();
});
watch("value", () => keep(props.value));
watch("shown", ready);

// Gradio mounts each part when its code has come.
function start() {
  if (!document.querySelector("#ask textarea") || !document.querySelector("#add textarea")) return;
  mounting.disconnect();
  const adding = document.querySelector("#add");
  adding.popover = "auto";
  adding.setAttribute("role", "region");
  adding.setAttribute("aria-label", "Add articles");
  adding.addEventListener("toggle", (event) => {
    if (event.newState === "open") adding.querySelector("textarea").focus();
  });
  show(open ?? "");
}

const mounting = new MutationObserver(start);
mounting.observe(document.body, { childList: true, subtree: true });
start();

// A link to an article opens in a dialog; with Ctrl, or without this script, in a tab of its own.

const reader = element.querySelector("#reader");

const unanswered = "<article><p class='error' role='alert'>Gazette does not answer: is it running?</p>";

async function read(link) {
  const parse = (page) => new DOMParser().parseFromString(page, "text/html").querySelector("article");
  const page = await fetch(link.href).then((answer) => answer.text()).catch(() => "");
  const article = parse(page) ?? parse(unanswered);
  reader.querySelector("div").replaceChildren(article);
  reader.showModal();
  reader.scrollTop = 0;
  article.querySelector("mark")?.scrollIntoView({ block: "center" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.read, #new");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.matches("a")) return read(link);
  link.blur();
  show("");
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("#add input[type=file]")) return;
  document.querySelector("#report [aria-live]").textContent = "Uploading …";
  event.target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, [popover], dialog")) return;
  event.preventDefault();
  document.querySelector("#ask textarea").focus();
});
