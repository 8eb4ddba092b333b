/** The uploads that wait to be gone on with, and what the studio takes. */
import { useQuery } from "@tanstack/react-query";
import { readUploads } from "../api/uploadQuestions";

export const UPLOADS = ["uploads"];

export const useUploads = () =>
  useQuery({ queryKey: UPLOADS, queryFn: ({ signal }) => readUploads(signal), staleTime: 0 });
