import { render } from "preact";
import { App } from "./app";
import { language, speak } from "./i18n";
import { applyTheme } from "./prefs";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/video.css";
import "./styles/timeline.css";
import "./styles/events.css";

applyTheme();
speak(language());
render(<App />, document.getElementById("app")!);
