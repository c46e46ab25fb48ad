// What is wider than its place scrolls, also by the keyboard; what is folded is unfolded in print.
const scrollers = () => document.querySelectorAll(".formula, .table-wrapper, pre");
const reach = () => scrollers().forEach((each) => {
  if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  else each.removeAttribute("tabindex");
});
addEventListener("load", reach);
addEventListener("resize", reach);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
