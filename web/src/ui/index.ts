export * from './basic';
export * from './dispositions';
export * from './form';
export * from './icons';
export * from './layout';
export * from './overlay';
export * from './states';
