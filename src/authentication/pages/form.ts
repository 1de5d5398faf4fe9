import { displayText } from '../../vocabulary/display-text.ts';
import { type Html, html, type Interpolation } from './html.ts';
import { ICONS } from './icons.ts';

/** Where a form goes. */
export interface FormTarget {
  action: string;
  csrf: string;
  /** Further hidden fields, by name. */
  hidden?: Readonly<Record<string, string>> | undefined;
}

export interface Button {
  label: Interpolation;
  name?: string;
  value?: string;
  kind?: 'primary' | 'secondary' | 'quiet' | 'danger' | undefined;
  /** Sends the form without the browser's checks of required fields. */
  unchecked?: boolean;
}

export interface Field {
  name: string;
  label: string;
  type: 'text' | 'password';
  autocomplete: 'username' | 'current-password' | 'new-password' | 'off';
  value?: string | undefined;
  hint?: Interpolation;
  error?: string | undefined;
  /** Ids of further elements that describe the field. */
  describedBy?: readonly string[];
  focus?: boolean;
  minLength?: number;
}

export const ERROR_SUMMARY = 'error-summary';

export function form(target: FormTarget, content: Interpolation): Html {
  const hidden = { ...target.hidden, csrf: target.csrf };
  const inputs = Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${target.action}" accept-charset="utf-8">${inputs}${content}</form>`;
}

/** A labelled input; its id is its name. A password is never written back. */
export function field(input: Field): Html {
  const { name, hint, error } = input;
  const notes = [hint && `${name}-hint`, error && `${name}-error`, ...(input.describedBy ?? [])].filter(Boolean);
  const username = input.autocomplete === 'username';
  return html`<div class="field${error && ' field-failed'}">
<label for="${name}">${input.label}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${error && html`<p class="field-error" id="${name}-error">${ICONS.alert}<span>${error}</span></p>`}
<input id="${name}" name="${name}" type="${input.type}" autocomplete="${input.autocomplete}" required${
    input.type === 'text' && html` value="${input.value ?? ''}"`
  }${username && html` inputmode="email"`}${input.minLength !== undefined && html` minlength="${input.minLength}"`} autocapitalize="none" autocorrect="off" spellcheck="false"${
    notes.length > 0 && html` aria-describedby="${notes.join(' ')}"`
  }${error && html` aria-invalid="true"`}${input.focus && html` autofocus`}>
</div>`;
}

export interface TextArea {
  name: string;
  label: string;
  /** Characters. */
  maxLength: number;
  value?: string | undefined;
  hint?: Interpolation;
  error?: string | undefined;
  required?: boolean;
}

/** A labelled field for some lines of text; its id is its name. */
export function textArea({ name, label, maxLength, value, hint, error, required = false }: TextArea): Html {
  const notes = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean);
  return html`<div class="field${error && ' field-failed'}">
<label for="${name}">${label}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${error && html`<p class="field-error" id="${name}-error">${ICONS.alert}<span>${error}</span></p>`}
<textarea id="${name}" name="${name}" rows="3" maxlength="${maxLength}"${required && html` required`}${
    notes.length > 0 && html` aria-describedby="${notes.join(' ')}"`
  }${error && html` aria-invalid="true"`}>${value && displayText(value, maxLength)}</textarea>
</div>`;
}

export interface Choice {
  name: string;
  value: string;
  label: Interpolation;
  hint?: Interpolation;
  checked?: boolean;
  disabled?: boolean;
}

/** A checkbox, or one of several answers. */
export function choice(type: 'checkbox' | 'radio', choice: Choice): Html {
  const id = type === 'checkbox' ? choice.name : `${choice.name}-${choice.value}`;
  return html`<div class="choice"><input type="${type}" id="${id}" name="${choice.name}" value="${choice.value}"${
    choice.checked && html` checked`
  }${choice.disabled && html` disabled`}${choice.hint && html` aria-describedby="${id}-hint"`}>
<div><label for="${id}">${choice.label}</label>${choice.hint && html`<p class="hint" id="${id}-hint">${choice.hint}</p>`}</div></div>`;
}

/** What went wrong with the last try; fields refer to it by `ERROR_SUMMARY`. */
export function errorSummary(title: string, content: Interpolation): Html {
  return html`<div class="notice notice-danger" id="${ERROR_SUMMARY}" role="alert">${ICONS.alert}<div><p class="notice-title">${title}</p>${content}</div></div>`;
}

export function notice(
  kind: 'good' | 'caution' | 'plain',
  icon: Html,
  title: Interpolation,
  content?: Interpolation,
): Html {
  return html`<div class="notice notice-${kind}">${icon}<div><p class="notice-title">${title}</p>${content}</div></div>`;
}

export function button({ label, name, value, kind = 'primary', unchecked = false }: Button): Html {
  return html`<button class="button button-${kind}" type="submit"${name && html` name="${name}"`}${
    value && html` value="${value}"`
  }${unchecked && html` formnovalidate`}>${label}</button>`;
}

/** The two answers to a question. Cancel stands first: it is what Enter does on a page where nothing else was chosen. */
export function decision(accept: string, cancel = 'Cancel'): Html {
  return html`<div class="decision">${button({ label: cancel, name: 'decision', value: 'cancel', kind: 'secondary' })}${button({ label: accept, name: 'decision', value: 'accept' })}</div>`;
}
