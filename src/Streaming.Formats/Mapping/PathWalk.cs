using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Follows a path into a record.</summary>
internal static class PathWalk
{
    /// <summary>From the record itself, or if its first name is absent, from the envelope's contents.</summary>
    public static RecordValue From(RecordValue record, RecordValue inner, IReadOnlyList<PathStep> steps, out bool throughNull) =>
        From(steps[0].Find(record).Kind == ValueKind.Missing ? inner : record, steps, 0, out throughNull);

    /// <summary>From a value.</summary>
    /// <param name="from">The value.</param>
    /// <param name="steps">The path.</param>
    /// <param name="start">The first step to take.</param>
    /// <param name="throughNull">Whether the path continues through a null.</param>
    public static RecordValue From(RecordValue from, IReadOnlyList<PathStep> steps, int start, out bool throughNull)
    {
        throughNull = false;
        for (int i = start; i < steps.Count; i++)
        {
            if (from.Kind == ValueKind.Null)
            {
                throughNull = true;
                return default;
            }

            from = steps[i].Find(from);
        }

        return from;
    }
}
