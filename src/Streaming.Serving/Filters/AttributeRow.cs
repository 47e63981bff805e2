using Streaming.Core.Embeddings;

namespace Streaming.Serving.Filters;

/// <summary>The attributes of one item in the form of the columns. The writer reuses one.</summary>
internal sealed class AttributeRow(int fields)
{
    /// <summary>Gets the codes of the texts of each field that has texts; empty: none.</summary>
    public List<int>[] Codes { get; } = [.. Enumerable.Range(0, fields).Select(static _ => new List<int>())];

    /// <summary>Gets the number of each field that has numbers; NaN: none.</summary>
    public double[] Numbers { get; } = new double[fields];

    /// <summary>Gets or sets the numbers that every item has.</summary>
    public ItemFacts Facts { get; set; }

    public void Clear()
    {
        foreach (List<int> codes in Codes)
        {
            codes.Clear();
        }

        Array.Fill(Numbers, double.NaN);
        Facts = default;
    }
}
