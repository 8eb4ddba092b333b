/** A pipeline file of a newer version that somebody opened: the server would refuse it, so it stays in the page. */
import { Loader } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Pipeline } from "../graph/pipeline";

// The canvas comes with it, which the list of pipelines does without.
const NewerPipeline = lazy(async () => ({
  default: (await import("./NewerPipeline")).NewerPipeline,
}));

export interface NewerFile {
  readonly file: File;
  readonly content: Pipeline;
}

export function NewerFileView({ file, content, onClose }: NewerFile & { onClose: () => void }) {
  const { t } = useTranslation();
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return (
    <Suspense fallback={<Loader size="sm" m="lg" aria-label={t("loading")} />}>
      <NewerPipeline content={content} file={address} fileName={file.name} onClose={onClose} />
    </Suspense>
  );
}
