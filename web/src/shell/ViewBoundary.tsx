/** Stands for a view that cannot be shown, so that the rest of the page goes on. */
import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Message } from "./Message";

interface ViewBoundaryProps {
  /** Where the page is: somewhere else another view is tried. */
  place: string;
  children: ReactNode;
}

export class ViewBoundary extends Component<ViewBoundaryProps, { readonly isBroken: boolean }> {
  static getDerivedStateFromError = () => ({ isBroken: true });

  override state = { isBroken: false };

  override componentDidUpdate(before: ViewBoundaryProps) {
    if (before.place !== this.props.place && this.state.isBroken) {
      this.setState({ isBroken: false });
    }
  }

  override render() {
    return this.state.isBroken ? <NotShown /> : this.props.children;
  }
}

function NotShown() {
  const { t } = useTranslation();
  return (
    <Message title={t("failure.notShown")} text={t("failure.notShownHint")}>
      <Button onClick={() => window.location.reload()}>{t("failure.load")}</Button>
    </Message>
  );
}
