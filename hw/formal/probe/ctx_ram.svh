	genvar formal_i;
	wire [(864)*((2 << CTX_BITS))-1:0] probe;
	generate
		for (formal_i = 0; formal_i < (2 << CTX_BITS); formal_i = formal_i + 1) begin : formal_word
			assign probe[(864)*formal_i +: 864] = mem[formal_i];
		end
	endgenerate
