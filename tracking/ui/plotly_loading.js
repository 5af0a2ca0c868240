// plotly.js is loaded once for all charts of a document.
function loadPlotly(source) {
  const scripts = (window.__podiumScripts ??= {});
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return (scripts[source] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("not plotly.js")));
    script.onerror = () => reject(new Error("not served"));
    document.head.appendChild(script);
  }).catch((error) => {
    delete scripts[source]; // the next redraw tries again
    throw error;
  }));
}

