/** Who is signed in, and what they may do. Where nobody signs in, the machine's owner may do all. */
import { useQuery } from "@tanstack/react-query";
import { ApiFailure } from "../api/client";
import { readSession } from "../api/peopleQuestions";
import type { Role } from "../api/types";

export const SESSION = ["session"];
export const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

export const useSessionQuery = () =>
  useQuery({ queryKey: SESSION, queryFn: readSession, staleTime: Number.POSITIVE_INFINITY });

export function isSignedOut(problem: unknown): boolean {
  return problem instanceof ApiFailure && problem.error.reason === "signed-out";
}

export interface Session {
  readonly user: string;
  readonly role: Role;
  /** Whether several people share the studio. */
  readonly hasPeople: boolean;
  /** Whether what is drawn, run and uploaded can be changed at all. */
  readonly canEdit: boolean;
}

/** Inside the views, which are shown once it is known; before, nothing may be done. */
export function useSession(): Session {
  const { data } = useSessionQuery();
  const { user = "", role = "viewer", has_people: hasPeople = false } = data ?? {};
  return { user, role, hasPeople, canEdit: role !== "viewer" };
}
