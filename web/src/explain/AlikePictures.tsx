/** The training pictures that are most alike; until the model has seen them all, how far it is. */
import { Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type PictureKey, readAlike } from "../api/explainQuestions";
import { fixed } from "../i18n/numbers";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./explain.module.css";

interface AlikePicturesProps {
  run: string;
  node: string;
  picture: PictureKey;
}

const AGAIN_MS = 100; // a step of the server takes more than a second

export function AlikePictures({ run, node, picture }: AlikePicturesProps) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["alike", run, node, picture],
    queryFn: ({ signal }) => readAlike(run, node, picture, signal),
    refetchInterval: ({ state }) =>
      state.data && state.data.done < state.data.total ? AGAIN_MS : false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { done = 0, total = 0, pictures = [] } = found.data ?? {};
  const making = t("explain.alikeMaking", { done, total });
  return (
    <section>
      <h3>{t("explain.alike")}</h3>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      {!found.error && pictures.length === 0 && (
        <div>
          <Progress
            value={total > 0 ? (100 * done) / total : 0}
            size="sm"
            transitionDuration={0}
            aria-label={making}
          />
          <p className="quiet number">{total > 0 && making}</p>
        </div>
      )}
      {pictures.length > 0 && (
        <>
          <ul className={styles.alike}>
            {pictures.map((one) => (
              <li key={one.position} title={one.file}>
                {one.thumbnail ? (
                  <img src={one.thumbnail} alt={one.file} />
                ) : (
                  <div className={`${styles.absent} quiet`}>{t("explain.noThumbnail")}</div>
                )}
                <span>
                  {t("explain.similarity", {
                    label: one.label ?? t("explain.unlabelled"),
                    value: fixed(one.similarity, 2),
                  })}
                </span>
              </li>
            ))}
          </ul>
          <p className="quiet">{t("explain.alikeHelp")}</p>
        </>
      )}
    </section>
  );
}
