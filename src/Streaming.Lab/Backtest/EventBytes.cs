using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Files;

namespace Streaming.Lab.Backtest;

/// <summary>Converts events of files to the form in which Kafka delivers them, so that the live ingestion code can process them.</summary>
internal sealed class EventBytes
{
    private byte[] _bytes = new byte[1024];

    /// <summary>Returns the event of a row; valid until the next call.</summary>
    public InteractionEvent Of(in EventRow row)
    {
        int most = Encoding.UTF8.GetMaxByteCount(row.User.Length + row.Item.Length + row.Type.Length + (row.EventId?.Length ?? 0));
        if (most > _bytes.Length)
        {
            _bytes = new byte[most];
        }

        int user = Add(row.User, 0);
        int item = Add(row.Item, user);
        int type = Add(row.Type, item);
        int id = Add(row.EventId ?? string.Empty, type);
        return new InteractionEvent
        {
            UserId = _bytes.AsSpan(0, user),
            ItemId = _bytes.AsSpan(user..item),
            Type = _bytes.AsSpan(item..type),
            EventId = _bytes.AsSpan(type..id),
            EventTime = row.Time,
        };
    }

    private int Add(string text, int start) => start + Encoding.UTF8.GetBytes(text, _bytes.AsSpan(start));
}
