using Streaming.Core.Items;
using Streaming.Models.Options;

namespace Streaming.Learning.Items;

/// <summary>Turns the feature groups of catalogue records into the model's feature vector: the groups in the model's order.</summary>
/// <param name="model">The model.</param>
internal sealed class ItemFeatures(ModelOptions model)
{
    private readonly float[] _values = new float[model.FeatureLength];

    /// <summary>Gets the features of the record that was read last, as long as all groups together; overwritten by the next.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Reads the features of a record into <see cref="Values"/>; a group that it does not have is all zeros.</summary>
    /// <returns>Why the record is rejected, in which case <see cref="Values"/> means nothing; null: it is valid.</returns>
    public string? Read(ItemChange change)
    {
        int start = 0;
        foreach (FeatureGroup group in model.FeatureGroups)
        {
            Span<float> destination = _values.AsSpan(start, group.Length);
            start += group.Length;
            if (!change.Features.TryGetValue(group.Name, out float[]? values))
            {
                destination.Clear();
                continue;
            }

            if (values.Length != group.Length)
            {
                return $"Item '{change.ItemId}': feature group '{group.Name}' has {values.Length} values; the model expects "
                    + $"{group.Length}.";
            }

            int wrong = Array.FindIndex(values, static value => !float.IsFinite(value));
            if (wrong >= 0)
            {
                return $"Item '{change.ItemId}': value {wrong} of feature group '{group.Name}' is {values[wrong]}; allowed: finite "
                    + "numbers.";
            }

            values.CopyTo(destination);
        }

        return null;
    }
}
