interface ChoiceProps {
  /** For those who do not see it. */
  readonly label: string;
  /** What stands for no choice. */
  readonly all: string;
  /** Values by what they are called. */
  readonly choices: readonly (readonly [value: string, name: string])[];
  readonly value: string;
  readonly choose: (value: string) => void;
}

export const Choice = ({ label, all, choices, value, choose }: ChoiceProps) => (
  <label>
    <span class="hidden">{label}</span>
    <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
      <option value="">{all}</option>
      {choices.map(([each, name]) => (
        <option key={each} value={each}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

interface SearchProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly seek: (text: string) => void;
}

/** Taken when Enter is pressed or the field is left: not every letter is a call. */
export const Search = ({ label, hint, value, seek }: SearchProps) => (
  <input
    type="search"
    aria-label={label}
    placeholder={hint}
    value={value}
    onChange={(event) => seek(event.currentTarget.value)}
  />
);
