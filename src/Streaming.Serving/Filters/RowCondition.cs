using System.Globalization;
using Streaming.Core.Items;
using Streaming.Kernels.Search;

namespace Streaming.Serving.Filters;

/// <summary>A condition against the columns of one generation.</summary>
internal sealed class RowCondition
{
    private readonly int _field;
    private readonly int[] _codes = [];
    private readonly byte[]? _wanted;
    private readonly (double From, double To)[] _ranges = [];

    /// <exception cref="ItemFilterException">The field does not exist, or the condition does not fit its kind.</exception>
    public RowCondition(ItemCondition condition, AttributeSchema schema)
    {
        _field = schema.IndexOf(condition.Field);
        AttributeDefinition field = schema.Fields[_field];
        if (condition.In.Count > ItemCondition.MaxValues)
        {
            throw new ItemFilterException(
                $"field \"{field.Name}\" is given {condition.In.Count} values; allowed: up to {ItemCondition.MaxValues}"
            );
        }

        if (field.Kind == AttributeKind.Number)
        {
            _ranges = RangesOf(condition);
            return;
        }

        if (condition.IsRange)
        {
            string numbers = string.Join(
                ", ",
                schema.Fields.Where(static other => other.Kind == AttributeKind.Number).Select(static other => other.Name)
            );
            throw new ItemFilterException(
                $"\"{condition}\" is a range, and field \"{field.Name}\" is a {AttributeSchema.Describe(field.Kind)}; ranges are allowed "
                    + $"on: {(numbers.Length > 0 ? numbers : "no field, because none is a number")}"
            );
        }

        if (
            field.Kind == AttributeKind.Boolean
            && condition.In.FirstOrDefault(static value => value is not ("true" or "false")) is { } wrong
        )
        {
            throw new ItemFilterException($"field \"{field.Name}\" is \"{wrong}\"; allowed: true or false");
        }

        ValueCodes codes = schema.CodesOf(_field);
        _codes = [.. condition.In.Select(codes.Find).Where(static code => code > 0).Distinct()];
        _wanted = TableOf(_codes);
    }

    /// <summary>That a row has one of some texts.</summary>
    /// <param name="field">The field.</param>
    /// <param name="codes">The texts' codes.</param>
    public RowCondition(int field, int[] codes)
    {
        (_field, _codes) = (field, codes);
        _wanted = TableOf(codes);
    }

    /// <summary>Adds the rows that meet it.</summary>
    public void Add(AttributeColumns columns, Span<byte> mask)
    {
        foreach ((double from, double to) in _ranges)
        {
            RowMasks.AddWithin(columns.NumbersOf(_field)[..mask.Length], from, to, mask);
        }

        foreach (int[] column in columns.CodesOf(_field))
        {
            ReadOnlySpan<int> rows = column.AsSpan(0, mask.Length);
            if (_wanted is not null)
            {
                RowMasks.AddAny(rows, _wanted, mask);
            }
            else if (_codes.Length > 0)
            {
                RowMasks.AddEqual(rows, _codes, mask);
            }
        }
    }

    /// <summary>Whether a row meets it.</summary>
    public bool Matches(AttributeColumns columns, int row)
    {
        foreach ((double from, double to) in _ranges)
        {
            double number = columns.NumbersOf(_field)[row];
            if (number >= from && number <= to)
            {
                return true;
            }
        }

        foreach (int[] column in columns.CodesOf(_field))
        {
            if (column[row] > 0 && _codes.AsSpan().Contains(column[row]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Which codes are wanted; null: so few that they are compared.</summary>
    private static byte[]? TableOf(int[] codes)
    {
        if (codes.Length <= RowMasks.MaxCompared)
        {
            return null;
        }

        byte[] wanted = new byte[codes.Max() + 1];
        Array.ForEach(codes, code => wanted[code] = byte.MaxValue);
        return wanted;
    }

    private static (double From, double To)[] RangesOf(ItemCondition condition)
    {
        if (!condition.IsRange)
        {
            return [.. condition.In.Select(value => Number(condition, value)).Select(static number => (number, number))];
        }

        double from = condition.From ?? double.NegativeInfinity,
            to = condition.To ?? double.PositiveInfinity;
        return from <= to
            ? [(from, to)]
            : throw new ItemFilterException($"\"{condition}\" is a range that ends before it begins; allowed: from at most to");
    }

    private static double Number(ItemCondition condition, string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? number
            : throw new ItemFilterException(
                $"field \"{condition.Field}\" is a number, and \"{value}\" is none; allowed: {condition.Field}:10, "
                    + $"{condition.Field}:10|20 or {condition.Field}:10..50 (10.. and ..50 are open)"
            );
}
