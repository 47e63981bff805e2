namespace Streaming.Worker;

/// <summary>
/// What files say of items: rows of item,title,brand,… (any names after the first), MovieLens' movies.csv among them.
/// </summary>
internal sealed class ItemCatalogue
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _items = new(StringComparer.Ordinal);

    /// <summary>Gets the number of items.</summary>
    public int Count => _items.Count;

    /// <summary>Reads item files. Columns become plain text fields by their names in lower case.</summary>
    /// <exception cref="InputFileException">A file is missing, has no header of that form, or an unreadable row: names it.</exception>
    public static ItemCatalogue ReadAll(IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var catalogue = new ItemCatalogue();
        foreach (string path in paths)
        {
            try
            {
                catalogue.Read(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new InputFileException($"{path}: {exception.Message}", exception);
            }
        }

        return catalogue;
    }

    /// <summary>The text fields of an item, or null.</summary>
    public IReadOnlyDictionary<string, string>? Find(string item) => _items.GetValueOrDefault(item);

    private void Read(string path)
    {
        using var csv = new CsvReader(InputFile.OpenText(path));
        if (!csv.Read() || csv.Count < 2)
        {
            throw new InputFileException($"{path}, line 1: expected a header item,title,…");
        }

        string[] names = [.. Enumerable.Range(0, csv.Count).Select(field => Lower(csv[field]))];
        if (names[0] is not ("item" or "itemid" or "item_id" or "id" or "movieid"))
        {
            throw new InputFileException($"{path}, line 1: the first column is \"{names[0]}\"; expected item (or itemId, id, movieId)");
        }

        while (csv.Read())
        {
            if (csv.Count != names.Length || csv[0].IsEmpty)
            {
                throw new InputFileException($"{path}, line {csv.Line}: {csv.Count} fields, {names.Length} expected, the first not empty");
            }

            var text = new Dictionary<string, string>(StringComparer.Ordinal);
            for (int field = 1; field < names.Length; field++)
            {
                if (!csv[field].IsEmpty)
                {
                    text[names[field]] = csv[field].ToString();
                }
            }

            _items[csv[0].ToString()] = text;
        }
    }

    private static string Lower(ReadOnlySpan<char> name) => name.Trim().ToString().ToLowerInvariant();
}
