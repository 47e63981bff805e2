using System.Globalization;
using System.Numerics.Tensors;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Formats.Delimited;
using Streaming.Formats.Inputs;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Converts item files (CSV with a header; the first column is the item) to features, one feature group per file:
/// columns c0, c1, … are product-quantization codes, each code a one-hot feature; columns x0, x1, … are numbers, used
/// unchanged; every other column is text, each of its words (and each part between | for categories) a one-hot feature weighted by
/// ln(items / items that have it). <see cref="LatentSemantics"/> projects one-hot features, and vectors are scaled to length 1.
/// </summary>
internal static class ItemFeatureFiles
{
    private static readonly char[] Separators = [.. " \t,.;:/|&()[]{}!?\"'+*#-_<>=%"];

    /// <summary>Reads the files.</summary>
    /// <param name="paths">Files.</param>
    /// <param name="items">Item ids, in row order.</param>
    /// <param name="length">Length of a projected group, F.</param>
    /// <param name="tell">Receives a line for a file with differing rows of the same item.</param>
    /// <exception cref="InputFileException">A file cannot be read, or contains none of the items.</exception>
    public static ItemFeatures Read(IEnumerable<string> paths, IReadOnlyList<string> items, int length, Action<string>? tell = null)
    {
        var rowOf = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int row = 0; row < items.Count; row++)
        {
            rowOf[items[row]] = row;
        }

        var groups = new List<FeatureGroup>();
        var parts = new List<float[][]>();
        foreach (string path in paths)
        {
            try
            {
                float[][] part = Read(path, rowOf, length, tell);
                groups.Add(new FeatureGroup($"file{groups.Count}", part.Max(vector => vector.Length)));
                parts.Add(part);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new InputFileException($"{path}: {exception.Message}", exception);
            }
        }

        float[][] rows = new float[items.Count][];
        for (int row = 0; row < rows.Length; row++)
        {
            rows[row] = [.. parts.SelectMany((part, group) => part[row].Length > 0 ? part[row] : new float[groups[group].Length])];
        }

        return new ItemFeatures(groups, () => rows, Change);

        ItemChange? Change(string item)
        {
            if (!rowOf.TryGetValue(item, out int row))
            {
                return null;
            }

            var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
            int start = 0;
            foreach (FeatureGroup group in groups)
            {
                values[group.Name] = rows[row][start..(start + group.Length)];
                start += group.Length;
            }

            return new ItemChange
            {
                ItemId = item,
                ItemKey = XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(item)),
                Features = values,
            };
        }
    }

    private static float[][] Read(string path, Dictionary<string, int> rowOf, int length, Action<string>? tell)
    {
        // The last of an item's rows counts: catalogues are often appended snapshots.
        var featuresOf = new Dictionary<int, List<string>>();
        var numbers = new Dictionary<int, float[]>();
        int differing = 0;
        using (var csv = DelimitedReader.OpenFile(path))
        {
            if (!csv.Read())
            {
                throw new InputFileException($"{path}: the file is empty.");
            }

            string[] columns = [.. Enumerable.Range(0, csv.Count).Select(csv.Text)];
            while (csv.Read())
            {
                if (csv.Problem is not null)
                {
                    throw new InputFileException($"{path}, line {csv.Line}: {csv.Problem}");
                }

                if (rowOf.TryGetValue(csv.Text(0), out int row))
                {
                    List<string> features = Features(csv, columns);
                    float[] values = Numbers(csv, columns);
                    differing +=
                        featuresOf.TryGetValue(row, out List<string>? before)
                        && !(before.SequenceEqual(features) && numbers[row].SequenceEqual(values))
                            ? 1
                            : 0;
                    featuresOf[row] = features;
                    numbers[row] = values;
                }
            }
        }

        if (featuresOf.Count == 0)
        {
            throw new InputFileException($"{path}: none of its items is in the interactions; the first column must be the item id.");
        }

        if (differing > 0)
        {
            tell?.Invoke($"{path}: {differing} rows differ from an earlier row of the same item; using each item's last row");
        }

        return Project(rowOf.Count, featuresOf, Frequencies(featuresOf.Values), numbers, length);
    }

    /// <summary>Counts the items with each feature, once per item.</summary>
    private static Dictionary<string, int> Frequencies(IEnumerable<List<string>> items)
    {
        var frequency = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string feature in items.SelectMany(features => features))
        {
            frequency[feature] = frequency.GetValueOrDefault(feature) + 1;
        }

        return frequency;
    }

    private static List<string> Features(DelimitedReader csv, string[] columns)
    {
        var features = new HashSet<string>(StringComparer.Ordinal);
        for (int column = 1; column < Math.Min(csv.Count, columns.Length); column++)
        {
            if (IsNumbered(columns[column], 'x') || csv[column].IsEmpty)
            {
                continue;
            }

            string text = csv.Text(column).ToUpperInvariant();
            string name = columns[column];
            if (IsNumbered(name, 'c'))
            {
                features.Add($"{name}={text}");
                continue;
            }

            features.UnionWith(text.Split('|', StringSplitOptions.TrimEntries).Select(part => $"{name}={part}"));
            features.UnionWith(text.Split(Separators, StringSplitOptions.RemoveEmptyEntries).Select(word => $"word={word}"));
        }

        return [.. features];
    }

    private static float[] Numbers(DelimitedReader csv, string[] columns)
    {
        var numbers = new List<float>();
        for (int column = 1; column < columns.Length; column++)
        {
            if (IsNumbered(columns[column], 'x'))
            {
                numbers.Add(
                    float.TryParse(csv[column], NumberStyles.Float, CultureInfo.InvariantCulture, out float number)
                    && float.IsFinite(number)
                        ? number
                        : throw new InvalidDataException(
                            $"line {csv.Line}: column {columns[column]} is \"{csv.Text(column)}\"; allowed: a finite number."
                        )
                );
            }
        }

        return [.. numbers];
    }

    private static float[][] Project(
        int items,
        Dictionary<int, List<string>> featuresOf,
        Dictionary<string, int> frequency,
        Dictionary<int, float[]> numbers,
        int length
    )
    {
        // A feature of a single item adds nothing to its id; one of all items carries no information.
        var numberOf = frequency
            .Where(pair => pair.Value > 1)
            .Select((pair, number) => (pair.Key, number))
            .ToDictionary(pair => pair.Key, pair => pair.number, StringComparer.Ordinal);
        float[][] rows = new float[items][];
        Array.Fill(rows, []);
        int[] known = [.. featuresOf.Keys];
        float[][] mapped = LatentSemantics.Map([.. known.Select(row => Weighted(featuresOf[row]))], numberOf.Count, length);
        for (int i = 0; i < known.Length; i++)
        {
            bool numbersOnly = featuresOf[known[i]].Count == 0 && numbers[known[i]].Length > 0;
            rows[known[i]] = numbersOnly ? numbers[known[i]] : [.. OfLengthOne(mapped[i]), .. numbers[known[i]]];
        }

        return rows;

        List<(int Feature, float Weight)> Weighted(List<string> names)
        {
            float[] weights = OfLengthOne([
                .. names.Select(name => numberOf.ContainsKey(name) ? MathF.Log((float)featuresOf.Count / frequency[name]) : 0),
            ]);
            return
            [
                .. names
                    .Select((name, i) => (name, weights[i]))
                    .Where(pair => numberOf.ContainsKey(pair.name))
                    .Select(pair => (numberOf[pair.name], pair.Item2)),
            ];
        }
    }

    private static float[] OfLengthOne(float[] vector)
    {
        float norm = TensorPrimitives.Norm<float>(vector);
        TensorPrimitives.Multiply(vector, norm > 0 ? 1 / norm : 0, vector);
        return vector;
    }

    private static bool IsNumbered(string column, char letter) =>
        column.Length > 1 && column[0] == letter && int.TryParse(column.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
