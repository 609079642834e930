/** Room for so many at a time, of which a customer may take a share only, so that one alone leaves some to the others. */
export interface Places {
  /** Takes a place for a customer, unless all are taken, or the customer has its share. */
  take(customer: string): 'taken' | 'full' | 'over_share';
  /** Gives back one that was taken. */
  giveBack(customer: string): void;
}

/** `size` places; `share`: the part of them, from 0 to 1, that one customer may take, at least one. `onTaken`: how many are taken. */
export function createPlaces({
  size,
  share,
  onTaken,
}: {
  readonly size: number;
  readonly share: number;
  readonly onTaken: (places: number) => void;
}): Places {
  const most = Math.max(1, Math.floor(size * share));
  const taken = new Map<string, number>();
  let all = 0;

  function change(customer: string, by: 1 | -1): void {
    const own = (taken.get(customer) ?? 0) + by;
    if (own === 0) taken.delete(customer);
    else taken.set(customer, own);
    onTaken((all += by));
  }

  return {
    take(customer) {
      if (all >= size) return 'full';
      if ((taken.get(customer) ?? 0) >= most) return 'over_share';
      change(customer, 1);
      return 'taken';
    },
    giveBack: (customer) => change(customer, -1),
  };
}
