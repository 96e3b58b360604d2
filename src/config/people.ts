/** The classes by which logind knows sessions of people. */
export const PEOPLE = ['user', 'user-early', 'user-light', 'user-early-light', 'user-incomplete'] as const;
