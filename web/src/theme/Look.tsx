/** The look of all controls, and their words where they have some of their own. */
import { createTheme, MantineProvider, mergeThemeOverrides } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { theme } from "./theme";

export function Look({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const close = t("close");
  const whole = useMemo(() => mergeThemeOverrides(theme, worded(close)), [close]);
  return (
    <MantineProvider theme={whole} defaultColorScheme="auto">
      {children}
    </MantineProvider>
  );
}

function worded(close: string) {
  return createTheme({
    components: { Modal: { defaultProps: { closeButtonProps: { "aria-label": close } } } },
  });
}
