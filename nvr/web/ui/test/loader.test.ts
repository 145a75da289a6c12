import { expect, it } from "vitest";
import { Loader } from "../src/loader";

/** Answers when it is told to. */
function slow() {
  const open: ((value: string) => void)[] = [];
  let told = 0;
  const loader = new Loader(() => new Promise<string>((answer) => open.push(answer)), () => told++);
  const answer = async (n: number, value: string) => {
    open[n](value);
    await new Promise((done) => setTimeout(done));
  };
  return { loader, open, answer, told: () => told };
}

it("waits for an answer that is slower than the clock", async () => {
  const { loader, open, answer } = slow();
  void loader.reload();
  loader.tick();
  loader.tick();
  expect(open).toHaveLength(1);
  await answer(0, "late");
  expect(loader.value).toBe("late");
  loader.tick();
  expect(open).toHaveLength(2);
});

it("lets no older answer cover a newer one", async () => {
  const { loader, answer } = slow();
  void loader.reload();
  void loader.reload();
  await answer(1, "new");
  await answer(0, "old");
  expect(loader.value).toBe("new");
});

it("says nothing after it is closed, and loads again where it is used again", async () => {
  const { loader, answer, told } = slow();
  void loader.reload();
  loader.close();
  await answer(0, "gone");
  expect([loader.value, told()]).toEqual([null, 0]);
  loader.tick();
  await answer(1, "here");
  expect(loader.value).toBe("here");
});

it("keeps what it has when a later answer is an error", async () => {
  let fails = false;
  const loader = new Loader(() => (fails ? Promise.reject(new Error("x")) : Promise.resolve(1)), () => undefined);
  await loader.reload();
  fails = true;
  await loader.reload();
  expect([loader.value, (loader.error as Error).message]).toEqual([1, "x"]);
});
