/** logind's name on the bus, and the objects and interfaces that are asked. */
export const LOGIND = 'org.freedesktop.login1';
export const LOGIND_PATH = '/org/freedesktop/login1';
export const MANAGER = 'org.freedesktop.login1.Manager';
export const SESSION = 'org.freedesktop.login1.Session';
