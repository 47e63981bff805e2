using System.Text;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Delimited;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;

namespace Streaming.Formats.Catalogues;

/// <summary>Rows of item,title,brand,… with a header, such as MovieLens' movies.csv; the item's column is found by its name.</summary>
internal static class DelimitedCatalogue
{
    private static readonly ItemLimits Limits = new();

    /// <summary>Reads the rows. Columns become text fields under their lower-cased names.</summary>
    public static IEnumerable<CatalogueItem> Read(string path, PeekStream file)
    {
        using var rows = new DelimitedReader(file, DialectDetector.Detect(file.Head, null, null, null));
        if (!rows.Read() || rows.Count < 2)
        {
            throw new InputFileException($"{path}, line 1: expected a header item,title,…");
        }

        string[] names = [.. DelimitedHeader.Clean(Enumerable.Range(0, rows.Count).Select(rows.Text)).Select(Lower)];
        int item = CheckHeader(path, names);
        var check = new CatalogueCheck(path);
        while (rows.Read())
        {
            if (rows.Problem is not null || rows.Count != names.Length || rows[item].IsEmpty)
            {
                throw new InputFileException(
                    $"{path}, line {rows.Line}: {rows.Problem ?? $"{rows.Count} fields; expected {names.Length}, the item's not empty"}"
                );
            }

            yield return Item(rows, names, item, check);
        }
    }

    private static CatalogueItem Item(DelimitedReader rows, string[] names, int item, CatalogueCheck check)
    {
        string position = $"line {rows.Line}";
        var text = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int field = 0; field < names.Length; field++)
        {
            if (field != item && !rows[field].IsEmpty)
            {
                text[names[field]] = check.Text(rows[field], position, names[field]);
            }
        }

        return new CatalogueItem
        {
            Id = check.Id(IdText.Of(rows[item]), position, names[item]),
            Position = position,
            Text = text,
        };
    }

    /// <returns>The item's column.</returns>
    private static int CheckHeader(string path, string[] names)
    {
        int item = ItemColumn(names);
        if (item < 0)
        {
            throw new InputFileException(
                $"{path}, line 1: no column is named as items are; the columns are {string.Join(", ", names.Take(30))}; allowed: "
                    + $"{KnownNames.OfItems}"
            );
        }

        int wrong = Array.FindIndex(names, static name => name.Length is 0 or > InteractionEvent.MaxIdBytes);
        if (wrong >= 0)
        {
            throw new InputFileException(
                $"{path}, line 1: column {wrong + 1} has "
                    + $"{(names[wrong].Length == 0 ? "no name" : $"a name longer than {InteractionEvent.MaxIdBytes} characters")}"
            );
        }

        if (names.Length - 1 > Limits.MaxTextFields)
        {
            throw new InputFileException($"{path}, line 1: {names.Length - 1} columns besides the item; allowed: {Limits.MaxTextFields}");
        }

        return item;
    }

    private static int ItemColumn(string[] names)
    {
        int[] ranks = [.. names.Select(static name => KnownNames.RankOfItem(Encoding.UTF8.GetBytes(name)))];
        return ranks.Max() < 0 ? -1 : Array.IndexOf(ranks, ranks.Where(static rank => rank >= 0).Min());
    }

    private static string Lower(string name) => name.Trim().ToLowerInvariant();
}
