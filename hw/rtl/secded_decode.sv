// SPDX-License-Identifier: Apache-2.0
// A word and its check bits as read: corrected data, whether a bit was corrected, whether there is more wrong.
`default_nettype none

module secded_decode (
	input  wire [63:0] data,
	input  wire [7:0]  check,
	output reg  [63:0] fixed,
	output wire        corrected,
	output wire        fatal
);
	// Column i of the check matrix: octet i. All have odd weight, so that two flipped bits give an even one.
	localparam [511:0] COLUMNS = {
		64'h574f3e3d3b372f1f,
		64'he0d0c8c4c2c1b0a8,
		64'ha4a2a1989492918c,
		64'h8a89868583706864,
		64'h6261585452514c4a,
		64'h4946454338343231,
		64'h2c2a292625231c1a,
		64'h191615130e0d0b07
	};

	wire [7:0] expected;
	secded_encode encode (.data (data), .check (expected));
	wire [7:0] syndrome = check ^ expected;

	integer i;
	reg hit; // the syndrome names a bit: of the data, or of the check bits themselves
	always @* begin
		fixed = data;
		hit = 1'b0;
		if (syndrome != 8'h00) begin
			for (i = 0; i < 64; i = i + 1)
				if (syndrome == COLUMNS[8*i +: 8]) begin
					fixed[i] = !data[i];
					hit = 1'b1;
				end
			for (i = 0; i < 8; i = i + 1)
				if (syndrome == 8'h01 << i)
					hit = 1'b1;
		end
	end
	assign corrected = hit;
	assign fatal = syndrome != 8'h00 && !hit;
endmodule

`default_nettype wire
