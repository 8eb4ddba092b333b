/** Asks for the class that pictures get; a long list is typed into. */
import { Button, Combobox, useCombobox } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ImagesInfo } from "../api/types";
import { Icon } from "../icons/Icon";

interface RelabelMenuProps {
  classes: ImagesInfo["classes"];
  isDisabled: boolean;
  onChoose: (label: string) => void;
}

const MOST = 100;

export function RelabelMenu({ classes, isDisabled, onChoose }: RelabelMenuProps) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const box = useCombobox({
    onDropdownClose: () => {
      box.resetSelectedOption();
      box.focusTarget();
      setText("");
    },
    onDropdownOpen: () => box.focusSearchInput(),
  });
  const wanted = text.trim().toLowerCase();
  const names = classes
    .flatMap(({ name }) => (name === null ? [] : [name]))
    .filter((name) => name.toLowerCase().includes(wanted))
    .slice(0, MOST);
  return (
    <Combobox
      store={box}
      width={240}
      position="bottom-end"
      transitionProps={{ duration: 0 }}
      onOptionSubmit={(name) => {
        onChoose(name);
        box.closeDropdown();
      }}
    >
      <Combobox.Target withAriaAttributes={false}>
        <Button
          disabled={isDisabled || classes.every(({ name }) => name === null)}
          leftSection={<Icon name="rename" size={14} />}
          onClick={() => box.toggleDropdown()}
          aria-haspopup="listbox"
          aria-expanded={box.dropdownOpened}
        >
          {t("data.relabel")}
        </Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            box.updateSelectedOptionIndex();
          }}
          placeholder={t("data.relabel")}
          aria-label={t("data.relabel")}
        />
        <Combobox.Options mah={240} style={{ overflowY: "auto" }}>
          {names.map((name) => (
            <Combobox.Option key={name} value={name}>
              {name}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
