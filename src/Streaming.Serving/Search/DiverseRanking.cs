using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Serving.Filters;

namespace Streaming.Serving.Search;

/// <summary>
/// Takes the best items so that no value of an attribute has more than its limit. It is what going down the ranking of the whole catalogue
/// gives: when the items found do not suffice, it searches again without the values that are full.
/// </summary>
internal sealed class DiverseRanking
{
    private const int Surplus = 4;
    private const int MaxSearches = 32;

    private readonly IndexView _view;
    private readonly int _field;
    private readonly int _limit;
    private readonly Dictionary<int, int> _taken = [];
    private readonly List<int> _codes = [];

    /// <summary>Initializes a new instance of the <see cref="DiverseRanking"/> class.</summary>
    /// <param name="view">The items.</param>
    /// <param name="rule">The attribute and the limit.</param>
    /// <exception cref="ItemFilterException">The attribute does not exist or has no texts, or the limit is below 1.</exception>
    public DiverseRanking(IndexView view, ItemDiversity rule)
    {
        _view = view;
        _field = view.Table.Schema.IndexOf(rule.Field);
        _limit = rule.Limit;
        AttributeDefinition field = view.Attributes[_field];
        if (field.Kind is not (AttributeKind.Text or AttributeKind.Texts))
        {
            string texts = string.Join(
                ", ",
                view.Attributes.Where(static other => other.Kind is AttributeKind.Text or AttributeKind.Texts)
                    .Select(static other => other.Name)
            );
            throw new ItemFilterException(
                $"field \"{field.Name}\" is a {AttributeSchema.Describe(field.Kind)}; allowed to diversify by: "
                    + $"{(texts.Length > 0 ? texts : "no field, because none is a text")}"
            );
        }

        if (rule.Limit < 1)
        {
            throw new ItemFilterException($"\"{rule.Field}:{rule.Limit}\" limits a value to {rule.Limit} items; allowed: 1 and up");
        }
    }

    /// <summary>Searches for the items to take.</summary>
    /// <param name="count">The most items.</param>
    /// <param name="search">Finds the best items, best first, without those of the values that are full; null: no value is full.</param>
    public List<Neighbour> Search(int count, Func<RowCondition?, int, IReadOnlyList<Neighbour>> search)
    {
        List<Neighbour> kept = [],
            taken = [];
        RowCondition? full = null;
        int most = Surplus * count;
        for (int i = 0; i < MaxSearches; i++)
        {
            IReadOnlyList<Neighbour> found = search(full, most);
            taken = Take([.. kept.Concat(found).OrderByDescending(static item => item.Score)], count);
            if (taken.Count == count || found.Count < most)
            {
                break;
            }

            // Those of full values, which the next search does not find.
            kept = [.. taken.Where(item => IsFull(item.Id))];
            full = new RowCondition(_field, [.. _taken.Where(value => value.Value >= _limit).Select(static value => value.Key)]);
            most = Math.Min(2 * most, Math.Max(_view.Count, 1));
        }

        return taken;
    }

    /// <summary>Goes down a ranking.</summary>
    /// <param name="ranking">The items, best first.</param>
    /// <param name="count">The most items.</param>
    /// <param name="more">Another ranking, for the places that remain; null: there is none. Its items come last, with no more than the last
    /// one's score.</param>
    public List<Neighbour> Take(IReadOnlyList<Neighbour> ranking, int count, Func<IReadOnlyList<Neighbour>>? more = null)
    {
        _taken.Clear();
        List<Neighbour> taken = [];
        foreach (Neighbour item in ranking)
        {
            Take(item, count, taken);
        }

        float last = taken.Count > 0 ? taken[^1].Score : float.PositiveInfinity;
        foreach (Neighbour item in taken.Count < count && more is not null ? more() : [])
        {
            if (!taken.Exists(known => known.Id == item.Id))
            {
                Take(item with { Score = Math.Min(last, item.Score) }, count, taken);
            }
        }

        return taken;
    }

    private void Take(Neighbour item, int count, List<Neighbour> taken)
    {
        if (taken.Count < count && !IsFull(item.Id))
        {
            taken.Add(item);
            _codes.ForEach(code => _taken[code] = _taken.GetValueOrDefault(code) + 1);
        }
    }

    private bool IsFull(string id)
    {
        _codes.Clear();
        _view.ReadCodes(RedisKeys.Hash(id), _field, _codes);
        return _codes.Exists(code => _taken.GetValueOrDefault(code) >= _limit);
    }
}
