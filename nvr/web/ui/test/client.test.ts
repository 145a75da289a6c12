import { afterEach, expect, it, vi } from "vitest";
import { send, setCsrf, whenCsrfIsOld } from "../src/api/client";

const refused = (code: string) => new Response(`{"error": {"code": "${code}", "message": "no"}}`, { status: 403 });
const csrfOf = (call: unknown[]) => ((call[1] as RequestInit).headers as Record<string, string>)["X-NVR-CSRF"];

afterEach(() => vi.unstubAllGlobals());

it("asks for another csrf where a login elsewhere has made it worthless, and repeats once", async () => {
  const fetch = vi.fn().mockResolvedValueOnce(refused("csrf")).mockResolvedValueOnce(new Response('{"a": 1}'));
  vi.stubGlobal("fetch", fetch);
  setCsrf("old");
  whenCsrfIsOld(async () => setCsrf("new"));
  expect(await send("PUT", "x", {})).toEqual({ a: 1 });
  expect(fetch.mock.calls.map(csrfOf)).toEqual(["old", "new"]);
});

it.each([["csrf", 2], ["admins_only", 1]])("tells a refusal %s after %d requests", async (code, times) => {
  const fetch = vi.fn(async () => refused(code));
  vi.stubGlobal("fetch", fetch);
  whenCsrfIsOld(async () => undefined);
  await expect(send("PUT", "x")).rejects.toMatchObject({ code });
  expect(fetch).toHaveBeenCalledTimes(times);
});
