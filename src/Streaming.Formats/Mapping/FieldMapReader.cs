using System.Text;

namespace Streaming.Formats.Mapping;

/// <summary>Splits the text of a mapping into its pairs and paths.</summary>
internal sealed class FieldMapReader(string text)
{
    private const string Help =
        "allowed: name=path with commas between; a path is names joined by dots, [] after a list's name, :text, $key, $timestamp or "
        + "$header.name; | between paths takes the first that has a value";

    private int _place;

    private bool IsAtEnd => _place == text.Length;

    /// <summary>Reads the next pair.</summary>
    /// <returns>False at the end.</returns>
    public bool TryReadPair(out string name, out FieldPath? path)
    {
        name = string.Empty;
        path = null;
        if (IsAtEnd && _place > 0)
        {
            return false;
        }

        int equals = text.IndexOf('=', _place);
        name = equals < 0 ? string.Empty : text[_place..equals].Trim();
        if (name.Length == 0)
        {
            throw new FieldMapException($"'{text[_place..]}' in '{text}' is not name=path; {Help}.");
        }

        _place = equals + 1;
        path = ReadPath();
        if (!IsAtEnd)
        {
            // The comma; a trailing one is an error.
            _place++;
            if (IsAtEnd)
            {
                throw new FieldMapException($"'{text}' ends with a comma.");
            }
        }

        return true;
    }

    private FieldPath ReadPath()
    {
        int start = _place;
        switch (IsAtEnd ? '\0' : text[_place])
        {
            case ':':
                _place++;
                string constant = ReadName(",");
                EndPath(start);
                return new FieldPath(text[start.._place], FieldSource.Constant, constant, []);
            case '$':
                return ReadOwn(start);
            default:
                return ReadSteps(start);
        }
    }

    private FieldPath ReadOwn(int start)
    {
        const string header = "$header.";
        if (text.AsSpan(start).StartsWith(header, StringComparison.Ordinal))
        {
            _place += header.Length;
            string name = ReadName(",");
            EndPath(start);
            return name.Length > 0 ? new FieldPath(text[start.._place], FieldSource.Header, name, []) : throw Wrong(start);
        }

        string own = ReadName(",");
        return own switch
        {
            "$key" => new FieldPath(own, FieldSource.Key, string.Empty, []),
            "$timestamp" => new FieldPath(own, FieldSource.Timestamp, string.Empty, []),
            _ => throw Wrong(start),
        };
    }

    private FieldPath ReadSteps(int start)
    {
        var steps = new List<PathStep>();
        do
        {
            if (steps.Count > 0)
            {
                _place++;
            }

            string name = ReadName(".,[|");
            bool isList = text.AsSpan(_place).StartsWith("[]", StringComparison.Ordinal);
            _place += isList ? 2 : 0;

            // Only the record itself, as a list, has no name.
            if (name.Length == 0 && !(isList && steps.Count == 0))
            {
                throw Wrong(start);
            }

            steps.Add(new PathStep(name, isList));
        } while (!IsAtEnd && text[_place] == '.');

        string written = text[start.._place];
        FieldPath? next = null;
        if (!IsAtEnd && text[_place] == '|')
        {
            _place++;
            next = ReadPath();
        }

        EndPath(start);
        return new FieldPath(written, FieldSource.Field, string.Empty, [.. steps]) { Or = next };
    }

    private string ReadName(string ends)
    {
        if (!IsAtEnd && text[_place] == '"')
        {
            return ReadQuoted();
        }

        int start = _place;
        int length = text.AsSpan(start).IndexOfAny(ends);
        _place = length < 0 ? text.Length : start + length;
        return text[start.._place].Trim();
    }

    private string ReadQuoted()
    {
        int start = _place++;
        var name = new StringBuilder();
        while (!IsAtEnd)
        {
            char letter = text[_place++];
            if (letter != '"')
            {
                name.Append(letter);
            }
            else if (!IsAtEnd && text[_place] == '"')
            {
                name.Append(text[_place++]);
            }
            else
            {
                return name.ToString();
            }
        }

        throw new FieldMapException($"'{text[start..]}' in '{text}' has a double quote that is not closed.");
    }

    private void EndPath(int start)
    {
        if (!IsAtEnd && text[_place] != ',')
        {
            throw Wrong(start);
        }
    }

    private FieldMapException Wrong(int start)
    {
        int end = text.IndexOf(',', start);
        return new FieldMapException($"'{(end < 0 ? text[start..] : text[start..end])}' in '{text}' is not a path; {Help}.");
    }
}
