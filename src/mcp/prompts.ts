/** A question that people ask often, and the way to its answer by the tools. */
interface Prompt {
  readonly title: string;
  readonly description: string;
  /** Arguments by name: what each is. All are needed. */
  readonly arguments: Readonly<Record<string, string>>;
  readonly text: (given: Readonly<Record<string, string>>) => string;
}

const from = 'Go by what the tools answer, name ids and AWS error codes, and say what is not known.';

export const prompts: Readonly<Record<string, Prompt>> = {
  'why-less-than-asked': {
    title: 'Why did this request get less than asked?',
    description: 'Explains a request that AWS did not grant in full, and what can be done',
    arguments: { request: 'Id of the request, e.g. req-…' },
    text: ({ request = '' }) =>
      `Why did request ${request} get fewer machines than it asked for? Call explain with this id, list_events with its requestId, then list_offerings for what launches keep clear of now. Tell in the order of time what was asked, what AWS refused with which code and in which zone, and what can be done about it: other types, other subnets, another market, a quota. ${from}`,
  },
  'is-all-well': {
    title: 'Is all well?',
    description: 'What is wrong now, the gravest first, each with its cure',
    arguments: {},
    text: () =>
      `Is all well with this Host Factory provider? Call get_overview and diagnose. Say first whether Host Factory calls and AWS answers, then what is wrong, the gravest first, each with its cure. ${from}`,
  },
  'what-did-it-cost': {
    title: 'What did it cost?',
    description: 'Machine hours and cost of a time, with what spot saved',
    arguments: { from: 'First day, e.g. 2026-11-01' },
    text: ({ from: day = '' }) =>
      `What did the machines cost since ${day}? Call get_usage from that day by template, by market and by type. Tell hours, cost, what spot saved against on demand, interruptions, and how many hours have no known price. ${from}`,
  },
};
