using Streaming.Worker.Http;

namespace Streaming.Worker.Rpc;

/// <summary>Checks the fields of a request.</summary>
internal static class RpcCheck
{
    /// <summary>A number that is 1 to <paramref name="most"/>; 0 stands for what is ordinary, as a field that is not set.</summary>
    /// <exception cref="LookupException">It is out of range.</exception>
    public static int Number(string field, int value, int ordinary, int most) =>
        value == 0 ? ordinary
        : value > 0 && value <= most ? value
        : throw LookupException.Wrong($"{field} is {value}; allowed: 1 to {most}");

    /// <summary>Checks the length of a list.</summary>
    /// <exception cref="LookupException">It is out of range.</exception>
    public static void Count(string field, int count, int least, int most)
    {
        if (count < least || count > most)
        {
            throw LookupException.Wrong($"{field} has {count} values; allowed: {least} to {most}");
        }
    }

    /// <summary>Checks that no id is empty.</summary>
    /// <exception cref="LookupException">One is.</exception>
    public static void Ids(string field, IEnumerable<string> ids)
    {
        if (ids.Contains(string.Empty))
        {
            throw LookupException.Wrong($"{field} is empty; allowed: an id");
        }
    }
}
