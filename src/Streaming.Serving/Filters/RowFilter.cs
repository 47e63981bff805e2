using System.Globalization;
using Streaming.Kernels.Search;

namespace Streaming.Serving.Filters;

/// <summary>A filter with boosts against the columns of one generation, for one search.</summary>
internal sealed class RowFilter
{
    private readonly RowCondition[] _must;
    private readonly RowCondition[] _any;
    private readonly RowCondition[] _not;
    private readonly (RowCondition Condition, float Factor)[] _boosts;

    private RowFilter(ItemFilter filter, IReadOnlyList<ItemBoost> boosts, RowCondition? without, AttributeSchema schema)
    {
        int conditions = filter.Must.Count + filter.Any.Count + filter.Not.Count + boosts.Count;
        if (conditions > ItemFilter.MaxConditions)
        {
            throw new ItemFilterException($"{conditions} conditions are given; allowed: up to {ItemFilter.MaxConditions}");
        }

        _must = Compile(filter.Must, schema);
        _any = Compile(filter.Any, schema);
        _not = without is null ? Compile(filter.Not, schema) : [.. Compile(filter.Not, schema), without];
        _boosts = [.. boosts.Select(boost => (new RowCondition(boost.Condition, schema), FactorOf(boost)))];
    }

    /// <summary>Prepares a filter; null when it does nothing.</summary>
    /// <param name="filter">The filter; null: all items.</param>
    /// <param name="boosts">The boosts; null: none.</param>
    /// <param name="schema">The attributes.</param>
    /// <param name="without">One more condition that may not hold; null: none.</param>
    /// <exception cref="ItemFilterException">A field does not exist, or a condition does not fit it.</exception>
    public static RowFilter? Of(
        ItemFilter? filter,
        IReadOnlyList<ItemBoost>? boosts,
        AttributeSchema schema,
        RowCondition? without = null
    ) =>
        filter is null or { IsEmpty: true } && boosts is null or { Count: 0 } && without is null
            ? null
            : new RowFilter(filter ?? new ItemFilter(), boosts ?? [], without, schema);

    /// <summary>Gets a value indicating whether it changes scores.</summary>
    public bool HasBoosts => _boosts.Length > 0;

    /// <summary>Gets or sets a value indicating whether it admitted many of the rows that were last tested as a whole.</summary>
    public bool AdmitsMany { get; set; }

    /// <summary>Keeps the rows that it admits.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="mask">In: the rows in use. Out: those of them that it admits.</param>
    /// <param name="scratch">As long as the mask.</param>
    public void Keep(AttributeColumns columns, Span<byte> mask, Span<byte> scratch)
    {
        foreach (RowCondition condition in _must)
        {
            scratch.Clear();
            condition.Add(columns, scratch);
            RowMasks.Keep(scratch, mask);
        }

        if (_any.Length > 0)
        {
            Union(_any, columns, scratch);
            RowMasks.Keep(scratch, mask);
        }

        if (_not.Length > 0)
        {
            Union(_not, columns, scratch);
            RowMasks.Drop(scratch, mask);
        }
    }

    /// <summary>Applies the boosts to scores.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="scores">One score a row.</param>
    /// <param name="scratch">As long as the scores.</param>
    public void Boost(AttributeColumns columns, Span<float> scores, Span<byte> scratch)
    {
        foreach ((RowCondition condition, float factor) in _boosts)
        {
            scratch.Clear();
            condition.Add(columns, scratch);
            RowMasks.Scale(scratch, factor, scores);
        }
    }

    /// <summary>Whether it admits a row.</summary>
    public bool Admits(AttributeColumns columns, int row)
    {
        foreach (RowCondition condition in _must)
        {
            if (!condition.Matches(columns, row))
            {
                return false;
            }
        }

        return (_any.Length == 0 || IsAny(_any, columns, row)) && !IsAny(_not, columns, row);
    }

    /// <summary>The score of a row with its boosts.</summary>
    public float Boosted(AttributeColumns columns, int row, float score)
    {
        foreach ((RowCondition condition, float factor) in _boosts)
        {
            score = condition.Matches(columns, row) ? RowMasks.Scaled(score, factor) : score;
        }

        return score;
    }

    private static RowCondition[] Compile(IReadOnlyList<ItemCondition> conditions, AttributeSchema schema) =>
        [.. conditions.Select(condition => new RowCondition(condition, schema))];

    private static float FactorOf(ItemBoost boost) =>
        boost.Factor is >= ItemBoost.MinFactor and <= ItemBoost.MaxFactor
            ? boost.Factor
            : throw new ItemFilterException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the boost of \"{boost.Condition}\" is {boost.Factor}; allowed: {ItemBoost.MinFactor} to {ItemBoost.MaxFactor}"
                )
            );

    private static bool IsAny(RowCondition[] conditions, AttributeColumns columns, int row)
    {
        foreach (RowCondition condition in conditions)
        {
            if (condition.Matches(columns, row))
            {
                return true;
            }
        }

        return false;
    }

    private static void Union(RowCondition[] conditions, AttributeColumns columns, Span<byte> mask)
    {
        mask.Clear();
        foreach (RowCondition condition in conditions)
        {
            condition.Add(columns, mask);
        }
    }
}
