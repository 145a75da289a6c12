import { afterEach, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/error";
import { errorText } from "../src/format";
import { actionText, setLanguage, speak } from "../src/i18n";
import { ERRORS_ZH } from "../src/i18n/words";
import { isMeant } from "../src/ui/day";
import { isOutside } from "../src/ui/dialog";

afterEach(() => vi.unstubAllGlobals());

it("a day that is typed is one that can be meant", () => {
  expect(["", "2026-11-28"].map(isMeant)).toEqual([true, true]);
  expect(["0002-11-28", "0202-11-28", "1969-06-01", "x"].map(isMeant)).toEqual([false, false, false, false]);
});

it("a dialog's own padding is not outside of it", () => {
  const box = { left: 10, right: 90, top: 10, bottom: 50 };
  expect(isOutside(box, { clientX: 12, clientY: 12 })).toBe(false);
  expect(isOutside(box, { clientX: 50, clientY: 51 })).toBe(true);
});

it("refusals and actions are in the chosen language, and only a choice is stored", () => {
  const store = { getItem: () => null, setItem: vi.fn() };
  vi.stubGlobal("localStorage", store);
  vi.stubGlobal("document", { documentElement: {} });
  const refusal = new ApiError(422, "malformed", "from: no instant");
  expect([errorText(refusal), actionText("login")]).toEqual(["from: no instant", "login"]);
  speak("zh");
  expect(store.setItem).not.toHaveBeenCalled();
  expect(errorText(refusal)).toBe("输入有误：from: no instant");
  expect(errorText(new ApiError(502, "http_502", "HTTP 502"))).toBe("HTTP 502");
  expect(errorText(new ApiError(429, "too_many_tries", "wait", null, 30))).toBe(`${ERRORS_ZH.too_many_tries} 请等待 30 秒后重试。`);
  expect([actionText("login"), actionText("new")]).toEqual(["登录", "new"]);
  setLanguage("en");
  expect(store.setItem).toHaveBeenCalledWith("nvr.language", "en");
});
