// Gives a process the number in HOLDPOINT_TEST_DICE in place of chance.
const dice = Number(process.env['HOLDPOINT_TEST_DICE']);

Math.random = () => dice;
