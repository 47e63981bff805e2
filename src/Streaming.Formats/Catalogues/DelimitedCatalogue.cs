using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Delimited;
using Streaming.Formats.Inputs;

namespace Streaming.Formats.Catalogues;

/// <summary>Rows of item,title,brand,… (any names after the first), such as MovieLens' movies.csv.</summary>
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

        string[] names = [.. Enumerable.Range(0, rows.Count).Select(field => rows.Text(field).Trim().ToLowerInvariant())];
        CheckHeader(path, names);
        var check = new CatalogueCheck(path);
        while (rows.Read())
        {
            if (rows.Problem is not null || rows.Count != names.Length || rows[0].IsEmpty)
            {
                throw new InputFileException(
                    $"{path}, line {rows.Line}: {rows.Problem ?? $"{rows.Count} fields; expected {names.Length}, the first not empty"}"
                );
            }

            yield return Item(rows, names, check);
        }
    }

    private static CatalogueItem Item(DelimitedReader rows, string[] names, CatalogueCheck check)
    {
        string position = $"line {rows.Line}";
        var text = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int field = 1; field < names.Length; field++)
        {
            if (!rows[field].IsEmpty)
            {
                text[names[field]] = check.Text(rows[field], position, names[field]);
            }
        }

        return new CatalogueItem
        {
            Id = check.Id(rows[0], position, names[0]),
            Position = position,
            Text = text,
        };
    }

    private static void CheckHeader(string path, string[] names)
    {
        if (names[0] is not ("item" or "itemid" or "item_id" or "id" or "movieid" or "item_id:token"))
        {
            throw new InputFileException($"{path}, line 1: the first column is \"{names[0]}\"; expected item (or itemId, id, movieId)");
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
    }
}
