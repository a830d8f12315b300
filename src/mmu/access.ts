/** What an access is to the paging unit. */
export type AccessKind = 'read' | 'write' | 'fetch';
/** Whose rights an access has: CPL 3, CPL 0-2, or an implicit supervisor access (GDT, IDT, TSS), which AC does not exempt from SMAP. */
export type Privilege = 'user' | 'supervisor' | 'implicit-supervisor';
