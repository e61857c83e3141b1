// SPDX-License-Identifier: Apache-2.0
// 256 constant bits in Xilinx primitives (7 series to UltraScale+): four LUTs and the slice's multiplexers behind them.
// Only where SRTPDEV_XILINX is defined; everything else is written without primitives.
`default_nettype none

module xilinx_rom256 #(
	parameter [255:0] TABLE = 256'h0
) (
	input  wire [7:0] at,
	output wire       out
);
	wire [3:0] quarter;
	wire [1:0] half;
	genvar i;
	generate
		for (i = 0; i < 4; i = i + 1) begin : lut
			LUT6 #(.INIT (TABLE[64*i +: 64])) part (
				.I0 (at[0]), .I1 (at[1]), .I2 (at[2]), .I3 (at[3]), .I4 (at[4]), .I5 (at[5]), .O (quarter[i])
			);
		end
	endgenerate
	MUXF7 low  (.I0 (quarter[0]), .I1 (quarter[1]), .S (at[6]), .O (half[0]));
	MUXF7 high (.I0 (quarter[2]), .I1 (quarter[3]), .S (at[6]), .O (half[1]));
	MUXF8 both (.I0 (half[0]), .I1 (half[1]), .S (at[7]), .O (out));
endmodule

`default_nettype wire
