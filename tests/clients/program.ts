/**
 * A channel application over the types that openapi-typescript generates and openapi-fetch; prints what it did.
 *
 * It reports, asks what became of a report, reads and follows a customer, opens a ticket, imports a sheet, merges two
 * customers and undoes the merge. GATEWAY and KEY come from the environment.
 */
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];
type Answer<Data> = { data?: Data; error?: unknown; response: Response };

const WAIT_MS = 20_000;
const gateway = process.env.GATEWAY ?? "";
const headers = { Authorization: `Bearer ${process.env.KEY ?? ""}` };
const client = createClient<paths>({ baseUrl: gateway, headers });

function expected<Data>({ data, error, response }: Answer<Data>): Data {
  if (data === undefined) throw new Error(`${response.status} ${response.url}: ${JSON.stringify(error)}`);
  return data;
}

function same<Value>(found: Value, wanted: Value): void {
  if (found !== wanted) throw new Error(`${String(found)} is not ${String(wanted)}`);
}

const phoneNumber = (): string => `138${Math.floor(Math.random() * 1e8).toString().padStart(8, "0")}`;

function call(number: string): Schemas["CallEnded"] {
  return {
    channel: "phone",
    kind: "call.ended",
    occurred_at: new Date().toISOString(),
    identifiers: [{ type: "phone", value: number, region: "CN" }],
    data: { direction: "inbound", subject: "保养预约" },
  };
}

async function report(): Promise<{ touchpoint: string; customer: string }> {
  const body = call(phoneNumber());
  const header = { "Idempotency-Key": randomUUID() };
  const dry = expected(await client.POST("/v1/touchpoints", { params: { header, query: { dry_run: true } }, body }));
  if (!("results" in dry)) throw new Error("a dry run answers verdicts");
  same(dry.results[0]?.would_mint, true);
  const done = expected(await client.POST("/v1/touchpoints", { params: { header }, body }));
  if (!("accepted" in done)) throw new Error("a report answers what was accepted");
  const [accepted] = done.accepted;
  if (accepted === undefined) throw new Error("the touchpoint is not accepted");
  const reused = await client.POST("/v1/touchpoints", { params: { header }, body: { ...body, agent: "agent-2" } });
  same(reused.error?.type, "/problems/idempotency-key-reused");
  const path = { touchpoint_id: accepted.id };
  const query = { wait_ms: WAIT_MS };
  const status = expected(await client.GET("/v1/touchpoints/{touchpoint_id}", { params: { path, query } }));
  if (status.state !== "recorded") throw new Error(`the touchpoint is ${status.state}`);
  return { touchpoint: accepted.id, customer: status.customer_id };
}

async function view(customer_id: string, after: string): Promise<Schemas["CustomerView"]> {
  const params = { path: { customer_id }, query: { after, wait_ms: WAIT_MS } };
  return expected(await client.GET("/v1/customers/{customer_id}", { params }));
}

async function read(customer_id: string, after: string): Promise<void> {
  const shown = await view(customer_id, after);
  same(shown.interactions?.count, 1);
  same(shown.interactions?.last[0]?.subject, "保养预约");
  const path = { customer_id };
  const timeline = expected(await client.GET("/v1/customers/{customer_id}/timeline", { params: { path } }));
  const [entry] = timeline.entries;
  if (entry?.type !== "interaction.recorded") throw new Error("the call is no entry");
  same(entry.kind, "call.ended");
}

async function follow(customer_id: string): Promise<void> {
  const { response } = await client.GET("/v1/customers/{customer_id}/stream", {
    params: { path: { customer_id } },
    parseAs: "stream",
  });
  const event = await firstEvent(response);
  if (event.event !== "snapshot") throw new Error(`the first event is ${event.event}`);
  same(event.data.customer_id, customer_id);
}

async function firstEvent(response: Response): Promise<Schemas["CustomerEvent"]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes("\n\n")) break;
  }
  const fields = Object.fromEntries(text.split("\n\n", 1)[0]!.split("\n").map((line) => line.split(/: (.*)/s, 2)));
  return { event: fields.event, id: fields.id, data: JSON.parse(fields.data) } as Schemas["CustomerEvent"];
}

async function openTicket(customer_id: string): Promise<void> {
  const body: Schemas["NewTicket"] = { kind: "complaint", customer: { customer_id }, subject: "No call back" };
  const opened = expected(await client.POST("/v1/tickets", { body }));
  const page = expected(await client.GET("/v1/tickets", { params: { query: { customer_id } } }));
  same(page.tickets.map((ticket) => ticket.number).join(), opened.number);
}

async function runImport(): Promise<void> {
  const sheet = `客户编号,姓名,手机\r\nC-${randomUUID().slice(0, 8)},陈静怡,${phoneNumber()}\r\n`;
  const query = { name: "customers.csv", system: `erp-${randomUUID().slice(0, 8)}` };
  const uploaded = await client.POST("/v1/imports", {
    params: { query },
    body: sheet,
    bodySerializer: (text: string) => text,
    headers: { "Content-Type": "text/csv" },
  });
  const { import_id } = expected(uploaded);
  await settled(import_id, "checked");
  expected(await client.POST("/v1/imports/{import_id}/run", { params: { path: { import_id } } }));
  same((await settled(import_id, "done")).progress.recorded, 1);
}

async function settled(import_id: string, state: Schemas["ImportAnswer"]["state"]): Promise<Schemas["ImportAnswer"]> {
  const params = { path: { import_id }, query: { wait_ms: WAIT_MS } };
  for (;;) {
    const found = expected(await client.GET("/v1/imports/{import_id}", { params }));
    if (found.state === state) return found;
    if (!["waiting", "checked", "running"].includes(found.state)) throw new Error(`the import is ${found.state}`);
  }
}

async function register(display: string): Promise<string> {
  const answer = await client.POST("/v1/customers", { body: { kind: "person", name: { display } } });
  const { customer_id } = expected(answer);
  await view(customer_id, answer.response.headers.get("Rapport-Event-Id") ?? "");
  return customer_id;
}

async function merge(): Promise<void> {
  const into = await register("王小明");
  const from = await register("王晓明");
  const merged = expected(await client.POST("/v1/merges", { body: { into, from: [from], dry_run: false } }));
  const made = merged.merges?.[0];
  if (made === undefined) throw new Error("nothing was merged");
  await view(into, made.event_id);
  const path = { customer_id: from };
  const moved = await client.GET("/v1/customers/{customer_id}", { params: { path }, redirect: "manual" });
  same(moved.response.status, 307);
  same((moved.error as unknown as Schemas["Moved"]).customer_id, into);
  const { merge_id } = made;
  const undone = expected(await client.POST("/v1/merges/{merge_id}/undo", { params: { path: { merge_id } } }));
  same((await view(from, undone.event_id)).customer_id, from);
}

const { touchpoint, customer } = await report();
const steps: Record<string, () => Promise<void>> = {
  read: () => read(customer, touchpoint),
  follow: () => follow(customer),
  open_ticket: () => openTicket(customer),
  run_import: runImport,
  merge,
};
for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(name);
}
process.exit(0);
