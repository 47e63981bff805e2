using System.Buffers.Text;
using Streaming.Core.Events;
using Streaming.Formats.Delimited;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Files;

/// <summary>Rows of the UCI Online Retail sets: invoices, of which purchases of products by known customers are events.</summary>
internal sealed class OnlineRetail
{
    private const int Invoice = 0;
    private const int StockCode = 1;
    private const int Description = 2;
    private const int Quantity = 3;
    private const int Date = 4;
    private const int Customer = 6;

    // The sheet's own format; exports from it may use another.
    private static readonly TimeReader SheetTimes = new(format: "M/d/yyyy H:mm");
    private static readonly TimeReader IsoTimes = new();
    private readonly RecordTree _values = new();

    /// <summary>Whether a file has the columns of the first or the second set.</summary>
    public static bool IsHeader(string[] names) =>
        names.Select(static name => name.Replace(" ", string.Empty, StringComparison.Ordinal).ToUpperInvariant()).ToArray()
            is ["INVOICENO" or "INVOICE", "STOCKCODE", "DESCRIPTION", "QUANTITY", "INVOICEDATE", "UNITPRICE" or "PRICE", "CUSTOMERID", ..];

    /// <summary>Adds the event of a row; counts a row that is not a purchase as dropped.</summary>
    /// <returns>What is wrong with the row, or null.</returns>
    public string? Add(EventLog log, DelimitedReader row)
    {
        if (!Utf8Parser.TryParse(row[Quantity], out int quantity, out int length) || length != row[Quantity].Length)
        {
            return $"column Quantity is \"{row.Text(Quantity)}\"; allowed: a whole number";
        }

        if (row[Customer].IsEmpty || row[Invoice].StartsWith("C"u8) || quantity <= 0 || !IsProduct(row[StockCode]))
        {
            log.Dropped++;
            return null;
        }

        _values.Clear();
        RecordValue date = _values.Detached(ValueKind.Text, row[Date]);
        if (IsoTimes.Read(date, out long time) != DeadLetterReason.None && SheetTimes.Read(date, out time) != DeadLetterReason.None)
        {
            return $"column InvoiceDate is \"{row.Text(Date)}\"; allowed: 2010-12-01 08:26:00 or 12/1/2010 8:26 (month first)";
        }

        // Exports of the sheet write the customer as a float, 17850.0.
        ReadOnlySpan<byte> customer = row[Customer];
        log.Add(
            new InteractionEvent
            {
                UserId = customer.EndsWith(".0"u8) ? customer[..^2] : customer,
                ItemId = row[StockCode],
                EventTime = time,
                Type = "purchase"u8,
            }
        );
        log.SetTitle(row[StockCode], row[Description].Trim((byte)' '));
        return null;
    }

    /// <summary>
    /// Product codes have five digits, then at most two letters for the variant (85123A, 15056BL). Others are postage, fees, samples and
    /// corrections: POST, D, M, DOT, C2, PADS, BANK CHARGES, ….
    /// </summary>
    private static bool IsProduct(ReadOnlySpan<byte> code) => code.Length >= 5 && !code[..5].ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
