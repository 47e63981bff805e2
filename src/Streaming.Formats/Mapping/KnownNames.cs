using System.Text;

namespace Streaming.Formats.Mapping;

/// <summary>Field names recognised without a mapping, compared by <see cref="FieldName"/>; the first that occurs is used.</summary>
internal static class KnownNames
{
    private static readonly Dictionary<FieldRole, string[]> Names = new()
    {
        // RetailRocket: visitorid. Google Analytics: user_pseudo_id. Amazon 2018: reviewerID. Sessions (GRU4Rec, RecBole) last.
        [FieldRole.User] = ["userid", "user", "visitorid", "userpseudoid", "customerid", "reviewerid", "uid", "sessionid"],

        // Amazon 2023: parent_asin joins the variants of a product. MovieLens' id comes last because it is ambiguous.
        [FieldRole.Item] = ["itemid", "item", "productid", "parentasin", "asin", "movieid", "articleid", "sku", "id"],
        [FieldRole.Type] = ["eventtype", "type", "event", "eventname", "action", "kind"],
        [FieldRole.Time] =
        [
            "eventtimems",
            "eventtime",
            "timestamp",
            "time",
            "ts",
            "eventtimestamp",
            "unixreviewtime",
            "datetime",
            "createdat",
        ],
        [FieldRole.Id] = ["eventid"],
        [FieldRole.Value] = ["value", "rating", "overall"],
        [FieldRole.Dwell] = ["dwellms"],
        [FieldRole.Title] = ["title"],
    };

    private static readonly Dictionary<string, (FieldRole Role, int Rank)> Roles = Names
        .SelectMany(static pair => pair.Value.Select((name, rank) => (name, pair.Key, rank)))
        .ToDictionary(static entry => entry.name, static entry => (entry.Key, entry.rank), StringComparer.Ordinal);

    private static readonly Dictionary<string, (FieldRole Role, int Rank)>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        Roles.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a name is that of ratings: without a type, a high rating is a click.</summary>
    public static bool IsRating(ReadOnlySpan<byte> name) => FieldName.Matches(name, "rating"u8);

    /// <summary>Whether an item's field name is Amazon's, whose titles are those of reviews.</summary>
    public static bool IsReviewed(ReadOnlySpan<byte> name) => FieldName.Matches(name, "parentasin"u8) || FieldName.Matches(name, "asin"u8);

    /// <summary>The names of items, for messages.</summary>
    public const string OfItems = "item_id, item, product_id, parent_asin, asin, movieId, article_id, sku or id";

    /// <summary>The rank of a name among those of items, from 0: the lowest is used; −1: not one of them.</summary>
    public static int RankOfItem(ReadOnlySpan<byte> name) =>
        TryFind(name, out FieldRole role, out int rank) && role == FieldRole.Item ? rank : -1;

    /// <summary>Finds the role of a name.</summary>
    /// <param name="name">A name, UTF-8.</param>
    /// <param name="role">Its role.</param>
    /// <param name="rank">Its rank among the names of that role, from 0: the lowest is used.</param>
    public static bool TryFind(ReadOnlySpan<byte> name, out FieldRole role, out int rank)
    {
        Span<byte> normal = stackalloc byte[FieldName.MaxLength];
        Span<char> chars = stackalloc char[FieldName.MaxLength];
        int length = Encoding.Latin1.GetChars(normal[..FieldName.Normalise(name, normal)], chars);
        bool isKnown = Lookup.TryGetValue(chars[..length], out (FieldRole Role, int Rank) found);
        (role, rank) = found;
        return isKnown;
    }
}
