using System.Globalization;

namespace Streaming.Worker;

/// <summary>Rows of the UCI Online Retail set: invoices, of which the purchases of products by known customers are events.</summary>
internal static class OnlineRetail
{
    private const int Invoice = 0;
    private const int StockCode = 1;
    private const int Description = 2;
    private const int Quantity = 3;
    private const int Date = 4;
    private const int Customer = 6;

    /// <summary>Adds the event of a row; a row that is no purchase is counted as dropped.</summary>
    /// <returns>What is wrong with the row, or null.</returns>
    public static string? Add(EventLog log, CsvReader csv)
    {
        if (csv.Count < 8)
        {
            return $"{csv.Count} fields, 8 expected";
        }

        if (!int.TryParse(csv[Quantity], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int quantity))
        {
            return $"\"{csv[Quantity]}\" is no quantity";
        }

        if (csv[Customer].IsEmpty || csv[Invoice].StartsWith("C", StringComparison.Ordinal) || quantity <= 0 || !IsProduct(csv[StockCode]))
        {
            log.Dropped++;
            return null;
        }

        if (!UnixTime.TryParse(csv[Date], out long time))
        {
            return $"\"{csv[Date]}\" is no date";
        }

        // Exports of the sheet write the customer as a float, 17850.0.
        ReadOnlySpan<char> customer = csv[Customer];
        log.Add(customer.EndsWith(".0", StringComparison.Ordinal) ? customer[..^2] : customer, csv[StockCode], time, "purchase");
        log.SetTitle(csv[StockCode], csv[Description].Trim());
        return null;
    }

    /// <summary>
    /// Products have five digits, then at most two letters for the variant (85123A, 15056BL). The rest is postage, fees,
    /// samples and corrections: POST, D, M, DOT, C2, PADS, BANK CHARGES, ….
    /// </summary>
    private static bool IsProduct(ReadOnlySpan<char> code) =>
        code.Length >= 5 && !code[..5].ContainsAnyExceptInRange('0', '9');
}
