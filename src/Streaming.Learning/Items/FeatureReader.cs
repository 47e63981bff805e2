using Streaming.Core.Items;
using Streaming.Learning.Text;
using Streaming.Models.Options;

namespace Streaming.Learning.Items;

/// <summary>
/// Turns catalogue records into the model's feature vector: the groups in the model's order, each from the record's values or hashed
/// from its text. Live training and backtests use it alike.
/// </summary>
public sealed class FeatureReader
{
    private readonly IReadOnlyList<FeatureGroup> _groups;
    private readonly TextHasher?[] _hashers;
    private readonly bool[] _missing;
    private readonly float[] _values;

    /// <summary>Creates it.</summary>
    /// <param name="groups">The model's feature groups.</param>
    public FeatureReader(IReadOnlyList<FeatureGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        _groups = groups;
        _hashers = [.. groups.Select(static group => group.IsHashed ? new TextHasher(group) : null)];
        _missing = new bool[groups.Count];
        _values = new float[groups.Sum(static group => group.Length)];
    }

    /// <summary>Gets the features of the record that was read last, as long as all groups together; overwritten by the next.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Gets for each group whether the record that was read last lacks it: its values are zeros.</summary>
    public ReadOnlySpan<bool> Missing => _missing;

    /// <summary>Reads the features of a record into <see cref="Values"/>; a group that it does not have is all zeros.</summary>
    /// <returns>Why the record is rejected, in which case <see cref="Values"/> means nothing; null: it is valid.</returns>
    public string? Read(ItemChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        int start = 0;
        for (int i = 0; i < _groups.Count; i++)
        {
            Span<float> destination = _values.AsSpan(start, _groups[i].Length);
            start += _groups[i].Length;
            if (_hashers[i] is { } hasher)
            {
                _missing[i] = !hasher.Write(change.Text, destination);
                continue;
            }

            _missing[i] = !change.Features.TryGetValue(_groups[i].Name, out float[]? values);
            if (_missing[i])
            {
                destination.Clear();
                continue;
            }

            if (Fault(change, _groups[i], values!) is { } fault)
            {
                return fault;
            }

            values.CopyTo(destination);
        }

        return null;
    }

    private static string? Fault(ItemChange change, FeatureGroup group, float[] values)
    {
        if (values.Length != group.Length)
        {
            return $"Item '{change.ItemId}': feature group '{group.Name}' has {values.Length} values; the model expects {group.Length}.";
        }

        int wrong = Array.FindIndex(values, static value => !float.IsFinite(value));
        return wrong < 0
            ? null
            : $"Item '{change.ItemId}': value {wrong} of feature group '{group.Name}' is {values[wrong]}; allowed: finite numbers.";
    }
}
