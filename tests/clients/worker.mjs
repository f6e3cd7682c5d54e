// A worker made with camunda-external-task-client-js: does to each task what the task's variables say.
// Run as: node worker.mjs MODULE ROOT WORKER OPTIONS TOPIC…; writes one JSON line for each thing that happens.

import { pathToFileURL } from "node:url";

const [module, baseUrl, workerId, options, ...topics] = process.argv.slice(2);
const { Client, Variables } = await import(pathToFileURL(module).href);

const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const client = new Client({ baseUrl, workerId, interval: 10, ...JSON.parse(options) });
client.on("poll:start", () => say("poll"));
for (const what of ["poll", "complete", "handleFailure", "handleBpmnError", "extendLock", "handler"]) {
  client.on(`${what}:error`, (...found) => say("error", { text: `${what}: ${found.at(-1)}`.slice(0, 1000) }));
}

async function handle({ task, taskService }) {
  const { fate, amount, why } = task.variables.getAll();
  say("task", { id: task.id, fate, key: task.businessKey });
  if (fate === "hang") {
    return;
  }
  const made = new Variables();
  if (task.topicName.startsWith("make-good")) {
    await taskService.complete(task, made.setAll({ madeGood: true, why }));
  } else if (fate === "fail" || (fate === "flaky" && task.retries === null)) {
    const retries = fate === "fail" ? 0 : 2;
    const errorDetails = "line 1\nline 2";
    await taskService.handleFailure(task, { errorMessage: "503 from the bank", errorDetails, retries, retryTimeout: 50 });
  } else if (fate === "declined" || fate === "unheard") {
    const code = fate === "declined" ? "DECLINED" : "NOBODY";
    await taskService.handleBpmnError(task, code, "by the issuer", made.set("score", 0.25));
  } else {
    if (fate === "long") {
      await taskService.extendLock(task, 3_600_000);
      say("extended", { id: task.id });
    }
    if (fate === "read") {
      const paper = task.variables.getTyped("paper").value;
      await paper.load();
      made.set("read", String(paper.content));
    }
    const mine = new Variables().set("mine", 1);
    await taskService.complete(task, made.setAll({ doubled: amount * 2, by: workerId, text: "ünï ✓" }), mine);
  }
}

for (const topic of topics) {
  client.subscribe(topic, { includeExtensionProperties: true }, handle);
}
