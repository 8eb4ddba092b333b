/** What can be asked of the server about people, sharing and the recycle bin, by name. */
import { ask } from "./client";
import type { ActivityPage, BinPage, Ownership, Role, SessionInfo, UserRow } from "./types";

export const readSession = () => ask<SessionInfo>("/session");

export const signIn = (name: string, password: string) =>
  ask<void>("/session/sign-in", { method: "POST", body: { name, password } });

export const signOut = () => ask<void>("/session/sign-out", { method: "POST", body: {} });

export const changeOwnPassword = (before: string, after: string) =>
  ask<void>("/session/password", { method: "PUT", body: { old: before, new: after } });

const userPath = (name: string) => `/users/${encodeURIComponent(name)}`;

export const readUsers = () => ask<UserRow[]>("/users");

export const addUser = (user: { name: string; role: Role; password: string }) =>
  ask<UserRow>("/users", { method: "POST", body: user });

export const changeRole = (name: string, role: Role) =>
  ask<void>(`${userPath(name)}/role`, { method: "PUT", body: { role } });

export const changePassword = (name: string, password: string) =>
  ask<void>(`${userPath(name)}/password`, { method: "PUT", body: { password } });

export const removeUser = (name: string) => ask<void>(userPath(name), { method: "DELETE" });

export const readActivity = (offset: number) => ask<ActivityPage>(`/activity?offset=${offset}`);

export const readBin = () => ask<BinPage>("/bin");

export const restore = (entry: string) =>
  ask<void>(`/bin/${entry}/restore`, { method: "POST", body: {} });

export const deleteForEver = (entry: string) => ask<void>(`/bin/${entry}`, { method: "DELETE" });

const share = (path: string) => (isShared: boolean) =>
  ask<Ownership>(`${path}/shared`, { method: "PUT", body: { is_shared: isShared } });

export const shareRun = (run: string) => share(`/runs/${encodeURIComponent(run)}`);
export const shareDraft = (id: string) => share(`/pipelines/${id}`);
export const shareUpload = (name: string) => share(`/uploads/finished/${encodeURIComponent(name)}`);

export const readDraftOwnership = (id: string) => ask<Ownership>(`/pipelines/${id}/ownership`);
