import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { Batch, type Pace } from '../../src/authorization/batch.ts';
import { DirectoryError } from '../../src/vocabulary/errors.ts';

describe.each<Pace>(['greedy', 'even'])('a batch, %s,', (pace) => {
  test('answers each caller with his own result, and joins those who wait', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>(pace, async (items) => {
      sizes.push(items.length);
      await sleep(1);
      return items.map((item) => item * 2);
    });
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => batch.add(index)));
    expect(answers).toEqual(Array.from({ length: 1_000 }, (_, index) => index * 2));
    expect(sizes.length).toBeLessThan(20);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
  });

  test('starts after every call that it answers', async () => {
    let clock = 0;
    const batch = new Batch<number, boolean>(pace, async (items) => {
      const started = clock;
      await sleep(Math.random() * 3);
      return items.map((called) => called <= started);
    });
    const answers: Promise<boolean>[] = [];
    for (let index = 0; index < 300; index += 1) {
      clock += 1;
      answers.push(batch.add(clock));
      if (index % 7 === 0) await sleep(Math.random() * 2);
    }
    expect((await Promise.all(answers)).every(Boolean)).toBe(true);
  });

  test('that fails is tried item by item: the error of one is nobody else’s', async () => {
    const done: number[] = [];
    const batch = new Batch<number, string>(pace, async (items) => {
      if (items.includes(13)) throw new Error('not thirteen');
      done.push(...items);
      return items.map(String);
    });
    const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => batch.add(index)));
    expect(answers.map(({ status }) => status === 'rejected')).toEqual(answers.map((_, index) => index === 13));
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index).filter((n) => n !== 13));
    await expect(batch.add(1)).resolves.toBe('1');
  });

  test('is not tried again item by item when the database is away, as it may have been done', async () => {
    let runs = 0;
    const batch = new Batch<number, number>(pace, async () => {
      runs += 1;
      throw new DirectoryError('ServiceUnavailable');
    });
    const answers = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => batch.add(index)));
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    expect(runs).toBe(1);
  });

  test('that answers for fewer than it was asked is an error, never somebody else’s answer', async () => {
    const batch = new Batch<number, number>(pace, async (items) => items.slice(1));
    const answers = await Promise.allSettled([batch.add(1), batch.add(2)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a batch of an even pace', () => {
  test('takes half of those who are here, so that there is work while it is on its way', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>('even', async (items) => {
      sizes.push(items.length);
      await sleep(20);
      return items;
    });
    const caller = async (item: number) => {
      for (let call = 0; call < 8; call += 1) {
        await batch.add(item);
        await sleep(2);
      }
    };
    const first = caller(0);
    while (sizes.length === 0) await sleep(0);
    await Promise.all([first, ...Array.from({ length: 15 }, (_, index) => caller(index + 1))]);
    // Greedy, it would be 1 and 15 in turn for ever.
    expect(sizes.slice(0, 12)).toEqual([1, ...new Array(11).fill(8)]);
  });

  test('lets each who was answered go on before the next one does, and before the next batch', async () => {
    const told: string[] = [];
    const batch = new Batch<string, string>('even', async (items) => {
      told.push(`run ${items.join(' ')}`);
      await sleep(1);
      return items;
    });
    const caller = async (item: string) => {
      await batch.add(item);
      for (let step = 0; step < 5; step += 1) await Promise.resolve();
      told.push(item);
    };
    const first = [caller('a'), caller('b')];
    while (told.length === 0) await sleep(0);
    await Promise.all([...first, caller('c'), caller('d')]);
    expect(told).toEqual(['run a b', 'a', 'b', 'run c d', 'c', 'd']);
  });
});
