import { WireError } from '../wire/connection.ts';

const UNMAPPED = 'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code';

/** A general failure, as GLib puts it on the bus. */
export function failed(text: string): WireError {
  return new WireError(`${UNMAPPED}0`, text);
}

/** Something that does not exist. */
export function notFound(text: string): WireError {
  return new WireError(`${UNMAPPED}1`, text);
}

/** Somebody else is at work. */
export function busy(text: string): WireError {
  return new WireError(`${UNMAPPED}26`, text);
}

/** The answer of polkit. */
export function denied(): WireError {
  return new WireError('org.freedesktop.DBus.Error.AccessDenied', 'Not authorized to perform operation');
}
