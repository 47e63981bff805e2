using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Streaming.Serving.Filters;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Which items an answer may have, in which order: filter=, any=, not= (any number of times), boost=field:value:factor,
/// diversify=field:limit; or the same in a body: "filter": {"must": […], "any": […], "not": […]}, "boost": […], "diversify":
/// {"field": …, "limit": …}. A condition of a body is a text as in the query, or an object: {"field": …, "in": […]} or
/// {"field": …, "from": …, "to": …}.
/// </summary>
/// <param name="Filter">The filter; null: none.</param>
/// <param name="Boosts">The boosts.</param>
/// <param name="Diversity">The limit per value; null: none.</param>
internal sealed record ItemRules(ItemFilter? Filter, IReadOnlyList<ItemBoost> Boosts, ItemDiversity? Diversity)
{
    /// <summary>The query parameters of a filter alone.</summary>
    public static readonly string[] FilterParameters = ["filter", "any", "not"];

    /// <summary>All query parameters.</summary>
    public static readonly string[] Parameters = [.. FilterParameters, "boost", "diversify"];

    /// <summary>The properties of a body.</summary>
    public static readonly string[] Properties = ["filter", "boost", "diversify"];

    private const string BodyFilter = "filter must be {\"must\": […], \"any\": […], \"not\": […]}, each a list of conditions";
    private const string BodyCondition =
        "a condition must be a text (field:value, field:value|value, field:from..to), {\"field\": …, \"in\": [texts]} or "
        + "{\"field\": …, \"from\": number, \"to\": number}";
    private const string BodyBoost = "boost must be a list of {\"condition\": …, \"factor\": number} or of texts (field:value:factor)";
    private const string BodyDiversity = "diversify must be {\"field\": text, \"limit\": number} or a text (field:limit)";

    /// <summary>Reads the rules of a request: those of the query and those of the body together.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">Its body; null: it has none, or one without rules.</param>
    /// <exception cref="LookupException">A rule cannot be read: names it and what is allowed.</exception>
    /// <exception cref="ItemFilterException">As above.</exception>
    public static ItemRules Of(HttpContext context, JsonElement? body = null) =>
        Of(name => context.Request.Query[name].OfType<string>(), body);

    /// <summary>Reads rules given as texts and those of a body together.</summary>
    /// <param name="texts">Gets the texts of a name of <see cref="Parameters"/>.</param>
    /// <param name="body">The body; null: there is none, or one without rules.</param>
    /// <exception cref="LookupException">A rule cannot be read: names it and what is allowed.</exception>
    /// <exception cref="ItemFilterException">As above.</exception>
    public static ItemRules Of(Func<string, IEnumerable<string>> texts, JsonElement? body)
    {
        JsonElement? filter = Property(body, "filter");
        if (filter is { } given)
        {
            Expect(given, JsonValueKind.Object, BodyFilter, "must", "any", "not");
        }

        ItemFilter all = new()
        {
            Must = [.. texts("filter").Select(ItemCondition.Parse), .. Conditions(filter, "must")],
            Any = [.. texts("any").Select(ItemCondition.Parse), .. Conditions(filter, "any")],
            Not = [.. texts("not").Select(ItemCondition.Parse), .. Conditions(filter, "not")],
        };
        ItemBoost[] boosts = [.. texts("boost").Select(Boost), .. BoostsOf(Property(body, "boost"))];
        ItemDiversity[] limits = [.. texts("diversify").Select(Limit), .. LimitsOf(Property(body, "diversify"))];
        return limits.Length <= 1
            ? new ItemRules(all.IsEmpty ? null : all, boosts, limits.FirstOrDefault())
            : throw LookupException.Wrong($"diversify is given {limits.Length} times; allowed: once");
    }

    private static JsonElement? Property(JsonElement? body, string name) =>
        body is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out JsonElement value) ? value : null;

    private static IEnumerable<ItemCondition> Conditions(JsonElement? filter, string name)
    {
        if (Property(filter, name) is not { } list)
        {
            return [];
        }

        Expect(list, JsonValueKind.Array, BodyFilter);
        return list.EnumerateArray().Select(Condition);
    }

    private static ItemCondition Condition(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return ItemCondition.Parse(value.GetString()!);
        }

        Expect(value, JsonValueKind.Object, BodyCondition, "field", "in", "from", "to");
        string[] texts = [];
        if (Property(value, "in") is { } list)
        {
            Expect(list, JsonValueKind.Array, BodyCondition);
            texts = [.. list.EnumerateArray().Select(Text)];
        }

        var condition = new ItemCondition
        {
            Field = Property(value, "field") is { ValueKind: JsonValueKind.String } field ? field.GetString()! : string.Empty,
            In = texts,
            From = Bound(value, "from"),
            To = Bound(value, "to"),
        };
        return condition.Field.Length > 0 && condition.IsRange != texts.Length > 0 ? condition : throw LookupException.Wrong(BodyCondition);
    }

    /// <summary>A value of a list: numbers and booleans may be written as such.</summary>
    private static string Text(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw LookupException.Wrong(BodyCondition),
        };

    private static double? Bound(JsonElement condition, string name) =>
        Property(condition, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw LookupException.Wrong(BodyCondition);

    private static ItemBoost Boost(string text)
    {
        int colon = text.LastIndexOf(':');
        return
            colon > 0
            && float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float factor)
            && text.IndexOf(':', StringComparison.Ordinal) < colon
            ? new ItemBoost(ItemCondition.Parse(text[..colon]), factor)
            : throw LookupException.Wrong($"boost is \"{text}\"; allowed: field:value:factor, as brand:acme:1.2");
    }

    private static IEnumerable<ItemBoost> BoostsOf(JsonElement? list)
    {
        if (list is not { } boosts)
        {
            return [];
        }

        Expect(boosts, JsonValueKind.Array, BodyBoost);
        return boosts.EnumerateArray().Select(One);

        static ItemBoost One(JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                return Boost(value.GetString()!);
            }

            Expect(value, JsonValueKind.Object, BodyBoost, "condition", "factor");
            return
                Property(value, "condition") is { } condition
                && Property(value, "factor") is { ValueKind: JsonValueKind.Number } factor
                && factor.TryGetSingle(out float number)
                ? new ItemBoost(Condition(condition), number)
                : throw LookupException.Wrong(BodyBoost);
        }
    }

    private static ItemDiversity Limit(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int limit)
            ? new ItemDiversity(text[..colon], limit)
            : throw LookupException.Wrong($"diversify is \"{text}\"; allowed: field:limit, as category:3");
    }

    private static IEnumerable<ItemDiversity> LimitsOf(JsonElement? value)
    {
        if (value is not { } rule)
        {
            return [];
        }

        if (rule.ValueKind == JsonValueKind.String)
        {
            return [Limit(rule.GetString()!)];
        }

        Expect(rule, JsonValueKind.Object, BodyDiversity, "field", "limit");
        return
            Property(rule, "field") is { ValueKind: JsonValueKind.String } field
            && Property(rule, "limit") is { ValueKind: JsonValueKind.Number } limit
            && limit.TryGetInt32(out int number)
            ? [new ItemDiversity(field.GetString()!, number)]
            : throw LookupException.Wrong(BodyDiversity);
    }

    private static void Expect(JsonElement value, JsonValueKind kind, string allowed, params string[] properties)
    {
        bool isRight =
            value.ValueKind == kind
            && (
                kind != JsonValueKind.Object
                || value.EnumerateObject().All(property => properties.Contains(property.Name, StringComparer.Ordinal))
            );
        if (!isRight)
        {
            throw LookupException.Wrong(allowed);
        }
    }
}
