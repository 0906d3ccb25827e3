// What the overview asks beside what other places ask too.
import { queryOptions } from '@tanstack/react-query';
import { api, body } from '@/api/client';
import type { components } from '@/api/schema';
import { noticesQuery } from '@/pages/tell/api';

type Forecast = components['schemas']['Forecast'];

/** One's own tasks, the most pressing first. */
export const mineQuery = queryOptions({ queryKey: ['work', 'mine'], queryFn: () => body<components['schemas']['MineList']>(api.GET('/api/v1/work/mine')) });
/** When all will be done, and the risk of each deadline. */
export const forecastQuery = queryOptions({ queryKey: ['work', 'forecast'], staleTime: 60_000, queryFn: () => body<Forecast>(api.GET('/api/v1/work/forecast')) });
/** What customers have been told. */
export const toldQuery = noticesQuery;
