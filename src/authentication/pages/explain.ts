import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage } from './admin-frame.ts';
import { errorSummary } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';

/** What was asked. */
export interface ExplainQuestion {
  clientAppId: string;
  username: string;
  resource: string;
  scope: string;
}

/** One rule of the decision, in words. */
export interface ExplainedStep {
  outcome: 'pass' | 'fail' | 'narrowed';
  /** Such as `Application`. */
  rule: string;
  /** The scope, role or name that it is about. */
  subject?: string | undefined;
  words: string;
  /** What let it pass: a grant, an assignment, a policy. */
  because?: string | undefined;
}

export interface Explanation {
  issued: boolean;
  /** Display names, where they are known here: of who would get it, and of the API that would take it. */
  application?: string | undefined;
  /** Absent: the application without a signed-in user. */
  username?: string | undefined;
  api?: string | undefined;
  /** What would be refused, with its number. */
  refusal?: { code: number; words: string } | undefined;
  scopes: readonly string[];
  roles: readonly string[];
  steps: readonly ExplainedStep[];
}

export interface ExplainModel {
  frame: AdminFrame;
  question: ExplainQuestion;
  explanation?: Explanation | undefined;
  problem?: string | undefined;
}

/** A form that changes nothing, by GET: `client`, `user`, `resource`, `scope`. */
export function explainPage({ frame, question, explanation, problem }: ExplainModel): Html {
  return adminPage(frame, {
    title: 'Explain',
    area: 'explain',
    lead: 'Why an application gets a token, or not: the same decision that the token endpoint makes, at this moment.',
    failed: problem !== undefined,
    body: html`${problem !== undefined && errorSummary('There is no answer', html`<p>${displayText(problem)}</p>`)}
<form class="question" method="get" action="${frame.base}/explain">
${input('client', 'Application ID', question.clientAppId, { required: true, hint: 'Of the application that would get it.' })}
${input('user', 'User name', question.username, { hint: 'Empty: the application on its own.' })}
${input('resource', 'Application ID of the API', question.resource, { hint: 'Empty: the directory API.' })}
${input('scope', 'Permissions', question.scope, { hint: 'With spaces between. Empty: all that is granted.' })}
<div class="actions"><button class="button button-primary" type="submit">Explain</button></div></form>
${explanation && answer(explanation)}`,
  });
}

function input(
  name: string,
  label: string,
  value: string,
  { hint, required = false }: { hint?: string; required?: boolean },
): Html {
  return html`<div class="field"><label for="${name}">${label}</label>${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}<input id="${name}" name="${name}" type="text" value="${value}" maxlength="2000" autocomplete="off" autocapitalize="none" spellcheck="false"${required && html` required`}${hint && html` aria-describedby="${name}-hint"`}></div>`;
}

function answer({ issued, refusal, scopes, roles, steps, application, username, api }: Explanation): Html {
  const carried = [...scopes, ...roles].map((value) => html`<code>${displayName(value)}</code> `);
  const whose = username === undefined ? 'on its own' : html`for <bdi>${displayName(username)}</bdi>`;
  return html`<section class="answer" aria-labelledby="answer"><div class="verdict verdict-${issued ? 'good' : 'refused'}">${issued ? ICONS.check : ICONS.alert}<div><h2 id="answer">${application === undefined ? 'It' : html`<bdi>${displayName(application)}</bdi>`} ${issued ? 'gets a token' : 'gets no token'} ${whose}</h2>${
    issued
      ? html`<p>${api === undefined ? 'It' : html`In <bdi>${displayName(api)}</bdi> it`} carries ${carried.length > 0 ? html`<span class="codes">${carried}</span>` : 'nothing'}</p>`
      : refusal && html`<p>AADSTS${refusal.code}: ${refusal.words}</p>`
  }</div></div>
<h3>How that was decided</h3>
<ol class="trace" role="list">${steps.map(step)}</ol></section>`;
}

const OUTCOMES = {
  pass: [ICONS.check, 'Passed'],
  fail: [ICONS.alert, 'Failed'],
  narrowed: [ICONS.caution, 'Left out'],
} as const;

function step({ outcome, rule, subject, words, because }: ExplainedStep): Html {
  const [icon, label] = OUTCOMES[outcome];
  return html`<li class="trace-${outcome}">${icon}<div><p><strong>${rule}</strong>${subject !== undefined && html` <code>${displayName(subject)}</code>`} <span class="outcome">${label}</span></p><p class="hint">${words}${because && ` ${displayText(because)}`}</p></div></li>`;
}
